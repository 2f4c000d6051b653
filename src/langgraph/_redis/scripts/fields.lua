-- Values and segments as they are stored.
-- KEYS data
-- ARGV most bytes, fields
-- Reply {bytes of those that were looked at, nil for one that is gone: ask again for the rest, fields of the
--      segments that these values name}
--!include records
local found, segments, seen, size = {}, {}, {}, 0
for at = 2, #ARGV do
  local bytes = redis.call('HGET', KEYS[1], ARGV[at])
  found[at - 1] = bytes
  if bytes then
    size = size + #bytes
    if string.sub(ARGV[at], 1, 2) == 'v/' then segment_fields(bytes, segments, seen, '') end
  end
  if size >= tonumber(ARGV[1]) then break end
end
return {found, segments}
