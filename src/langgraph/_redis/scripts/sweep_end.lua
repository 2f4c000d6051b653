-- Ends a sweep: takes the mark away, and runs that made no checkpoint that is left.
-- KEYS data, index
-- ARGV token, count of words that follow, (namespace, how many checkpoints of it had to stay) for each, run ids
-- Reply the run ids that were taken away
--!include records
local mark = redis.call('HGET', KEYS[1], 't/sweep') or ''
if string.sub(mark, 1, #ARGV[1]) ~= ARGV[1] then return {} end
local first = 3 + tonumber(ARGV[2])
for at = 3, first - 1, 2 do redis.call('HSET', KEYS[1], 't/kept/' .. ARGV[at], ARGV[at + 1]) end
local busy = {}
for field in string.gmatch(string.sub(mark, #ARGV[1] + 1), '[^\n]+') do
  local _, _, run = lines(redis.call('HGET', KEYS[1], field) or '')
  busy[run or ''] = true
end
local gone = {}
for at = first, #ARGV do
  if not busy[ARGV[at]] then
    redis.call('ZREM', KEYS[2], 'r/' .. ARGV[at])
    gone[#gone + 1] = ARGV[at]
  end
end
redis.call('HDEL', KEYS[1], 't/sweep')
return gone
