-- Named checkpoints with their values and writes; those that are gone are left out.
-- KEYS data
-- ARGV most bytes, names of segments that the client holds, then namespace, id for each
-- Reply {count of those looked at: ask again for the rest, then as `collector` says}
--!include records
local found = collector(KEYS[1], ARGV[2])
local budget, at = tonumber(ARGV[1]), 3
while at <= #ARGV and found.size < budget do
  found.add(ARGV[at], ARGV[at + 1])
  at = at + 2
end
local reply = found.reply()
return {(at - 3) / 2, reply[1], reply[2], reply[3]}
