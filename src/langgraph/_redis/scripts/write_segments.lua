-- The segments that the writes of some checkpoints name.
-- KEYS data
-- ARGV most bytes to read, namespace, id for each checkpoint
-- Reply {count of those looked at: ask again for the rest, segment fields, each once}
--!include records
local fields, seen, size, at = {}, {}, 0, 2
while at <= #ARGV and size < tonumber(ARGV[1]) do
  local writes = writes_of(KEYS[1], ARGV[at], ARGV[at + 1])
  for i = 2, #writes, 2 do
    if writes[i] then
      size = size + #writes[i]
      entry_segments(writes[i], fields, seen, '')
    end
  end
  at = at + 2
end
return {(at - 2) / 2, fields}
