-- Tells how long a thread lives, and may set it.
-- KEYS data, index
-- ARGV '' to ask, 'for' and milliseconds, 'pin', or 'unpin' and a life (as `prolong` says)
-- Reply {milliseconds left, or -1, '1' if it is pinned}; nil if there is no thread
--!include records
--!include life
--!include rebuild
local data, index, verb = KEYS[1], KEYS[2], ARGV[1]
if not present(data, index) then return nil end
if verb == 'for' then
  redis.call('HSET', data, 't/ttl', ARGV[2])
  prolong(data, index, '', ARGV[2])
elseif verb == 'pin' then
  redis.call('HSET', data, 't/ttl', '0')
  prolong(data, index, '', '0')
elseif verb == 'unpin' then
  redis.call('HDEL', data, 't/ttl')
  prolong(data, index, ARGV[2] == '' and '0' or ARGV[2], false)
end
return {redis.call('PTTL', data), redis.call('HGET', data, 't/ttl') == '0' and '1' or '0'}
