-- One checkpoint with its values and writes.
-- KEYS data, index
-- ARGV namespace, id ('' for the largest), names of segments that the client holds (space-separated)
-- Reply as `add` says; nil if there is none; the field's name if the index has it and the data do not
--!include records
local ns, id = ARGV[1], ARGV[2]
if id == '' then
  local newest = redis.call('ZREVRANGEBYLEX', KEYS[2], '(c/' .. ns .. '0', '[c/' .. ns .. '/', 'LIMIT', 0, 1)[1]
  if not newest then return nil end
  id = string.sub(newest, #ns + 4)
end
local reply = {{}, {}, {}}
if add(reply, KEYS[1], ns, id, {}, ARGV[3]) then return reply end
local field = 'c/' .. ns .. '/' .. id
return redis.call('ZSCORE', KEYS[2], field) and field or nil
