-- Named checkpoints with their values and writes; those that are gone are left out.
-- KEYS data
-- ARGV most bytes, names of segments that the client holds, then namespace, id for each
-- Reply {count of those looked at: ask again for the rest, then as `add` says}
--!include records
local budget, at, size, reply, seen = tonumber(ARGV[1]), 3, 0, {{}, {}, {}}, {}
while at <= #ARGV and size < budget do
  size = size + (add(reply, KEYS[1], ARGV[at], ARGV[at + 1], seen, ARGV[2]) or 0)
  at = at + 2
end
return {(at - 3) / 2, reply[1], reply[2], reply[3]}
