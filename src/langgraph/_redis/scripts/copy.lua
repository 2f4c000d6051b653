-- Copies a thread over another; what the target held before is gone.
-- KEYS source data, source index, target data, target index
-- Reply {run ids that the copy holds, run ids that the target held}; nil, and nothing done, if there is no source.
local function runs_of(index)
  local runs = redis.call('ZRANGEBYLEX', index, '[r/', '(r0')
  for i, run in ipairs(runs) do runs[i] = string.sub(run, 3) end
  return runs
end

if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
local lost = runs_of(KEYS[4])
redis.call('UNLINK', KEYS[3], KEYS[4])
redis.call('COPY', KEYS[1], KEYS[3])
redis.call('COPY', KEYS[2], KEYS[4])
redis.call('HDEL', KEYS[3], 't/sweep')
return {runs_of(KEYS[4]), lost}
