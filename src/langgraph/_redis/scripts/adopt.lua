-- Puts a draft in the place of a thread; what that held before is gone.
-- KEYS draft data, draft index, data, index
-- ARGV count of fields and of members that were put into the draft, milliseconds to live or '' for ever, when the thread
--      began ('' for now), its own life (t/ttl) or ''
-- Reply {1, the run ids that the thread held before}; {0}, and nothing done, if the draft is not whole
--!include life
--!include runs
local data, index = KEYS[3], KEYS[4]
if redis.call('HLEN', KEYS[1]) ~= tonumber(ARGV[1]) + 1 or redis.call('ZCARD', KEYS[2]) ~= tonumber(ARGV[2]) then
  return {0}
end
local before = runs_of(index)
redis.call('UNLINK', data, index)
redis.call('HSET', KEYS[1], 't/made', ARGV[4] == '' and string.format('%.0f', now()) or ARGV[4])
if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 't/ttl', ARGV[5]) end
for i = 1, 2 do
  if redis.call('EXISTS', KEYS[i]) == 1 then redis.call('RENAME', KEYS[i], KEYS[i + 2]) end
end
prolong(data, index, ARGV[3] == '' and '0' or ARGV[3], false)
table.insert(before, 1, 1)
return before
