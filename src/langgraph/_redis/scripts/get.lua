-- One checkpoint with its values and writes.
-- KEYS data, index
-- ARGV namespace, id ('' for the largest), names of segments that the client holds (space-separated), life (as
--      `prolong` says) if to read it prolongs it, else '-'
-- Reply as checkpoints.lua says; nil if there is none; the field's name if the index has it and the data do not
--!include checkpoints
local data, index, ns, id = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local function newest()
  local member = redis.call('ZREVRANGEBYLEX', index, '(c/' .. ns .. '0', '[c/' .. ns .. '/', 'LIMIT', 0, 1)[1]
  return member and string.sub(member, #ns + 4)
end

if id == '' then
  id = newest()
  if not id then
    --!include life
    --!include rebuild
    id = present(data, index) and newest()
  end
  if not id then return nil end
end
local field = 'c/' .. ns .. '/' .. id
local record, list = unpack(redis.call('HMGET', data, field, 'l/' .. ns .. '/' .. id))
if record then
  local reply = {}
  add(reply, data, ns, id, record, list, {}, ARGV[3])
  if ARGV[4] ~= '-' then
    --!include life
    prolong(data, index, ARGV[4], redis.call('HGET', data, 't/ttl'))
  end
  return reply
end
return redis.call('ZSCORE', index, field) and redis.call('EXISTS', data) == 1 and field or nil
