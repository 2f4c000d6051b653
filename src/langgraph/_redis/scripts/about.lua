-- What there is to say of a thread, without a look at its values. Nothing is prolonged by it.
-- KEYS data, index
-- ARGV '1' for the record of the root's newest checkpoint, too
-- Reply {when it began (ms), milliseconds left or -1, '1' if it is pinned, how many checkpoints,
--      largest id of the root, of all others, how many fields, the record or nil}; nil if there is no thread
--!include records
--!include life
--!include rebuild
--!include newest
local data, index = KEYS[1], KEYS[2]
if not present(data, index) then return nil end
local root, other, fields = newest(data, index)
local made, own = unpack(redis.call('HMGET', data, 't/made', 't/ttl'))
return {
  made, redis.call('PTTL', data), own == '0' and '1' or '0', redis.call('ZLEXCOUNT', index, '[c/', '(c0'),
  root, other, fields, ARGV[1] == '1' and root ~= '' and redis.call('HGET', data, 'c//' .. root),
}
