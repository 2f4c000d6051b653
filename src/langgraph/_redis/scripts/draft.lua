-- Adds to the draft of a thread, which nobody reads, and which is gone by itself when nobody goes on with it.
-- KEYS draft data, draft index
-- ARGV '1' if this begins it, milliseconds that it stays, count of words of fields, (field, bytes) for each, members of
--      the index
-- Reply 1; 0 if this was to go on with a draft that is gone
--!include life
local data, index, first = KEYS[1], KEYS[2], 4 + tonumber(ARGV[3])
if ARGV[1] == '1' then
  redis.call('HSET', data, 't/made', '0') -- so that it is there even if it holds nothing
elseif redis.call('EXISTS', data) == 0 then
  return 0
end
for at = 4, first - 1, 4000 do
  redis.call('HSET', data, unpack(ARGV, at, math.min(at + 3999, first - 1)))
end
for at = first, #ARGV do redis.call('ZADD', index, 0, ARGV[at]) end
expire_at(data, index, now() + tonumber(ARGV[2]))
return 1
