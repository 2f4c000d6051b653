-- Copies a thread over another; what the target held before is gone.
-- KEYS source data, source index, target data, target index
-- ARGV run ids that were told of the target
-- Reply the run ids that the target held before; -1, and nothing done, if the source holds a run that was not
--      told; nil if there is no source
local function runs_of(index)
  local runs = redis.call('ZRANGEBYLEX', index, '[r/', '(r0')
  for i, run in ipairs(runs) do runs[i] = string.sub(run, 3) end
  return runs
end

if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
local told = {}
for _, run in ipairs(ARGV) do told[run] = true end
for _, run in ipairs(runs_of(KEYS[2])) do
  if not told[run] then return -1 end
end
local before = runs_of(KEYS[4])
redis.call('UNLINK', KEYS[3], KEYS[4])
redis.call('COPY', KEYS[1], KEYS[3])
redis.call('COPY', KEYS[2], KEYS[4])
redis.call('HDEL', KEYS[3], 't/sweep')
return before
