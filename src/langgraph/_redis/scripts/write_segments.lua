-- The segments that the writes of some checkpoints name.
-- KEYS data
-- ARGV namespace, id for each checkpoint
-- Reply segment fields, each once
--!include records
local fields, seen = {}, {}
for at = 1, #ARGV, 2 do
  local writes = writes_of(KEYS[1], ARGV[at], ARGV[at + 1])
  for i = 2, #writes, 2 do
    if writes[i] then entry_segments(writes[i], fields, seen, '') end
  end
end
return fields
