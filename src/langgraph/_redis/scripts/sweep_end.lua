-- Ends a sweep: takes the mark away, runs that made no checkpoint that is left, and a thread that holds nothing.
-- KEYS data, index
-- ARGV token, count of words that follow, (namespace, how many checkpoints of it had to stay) for each, the
--      run ids of what stays
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
local stay, gone = {}, {}
for at = first, #ARGV do stay[ARGV[at]] = true end
for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], '[r/', '(r0')) do
  local run = string.sub(member, 3)
  if not stay[run] and not busy[run] then
    redis.call('ZREM', KEYS[2], member)
    gone[#gone + 1] = run
  end
end
redis.call('HDEL', KEYS[1], 't/sweep', 't/swept')

-- A thread of nothing but its own facts is no thread.
local function bare()
  if redis.call('ZLEXCOUNT', KEYS[2], '[c/', '(c0') > 0 or redis.call('HLEN', KEYS[1]) > 100 then return false end
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if not string.find(field, '^[tu]/') then return false end
  end
  return true
end
if bare() then redis.call('UNLINK', KEYS[1], KEYS[2]) end
return gone
