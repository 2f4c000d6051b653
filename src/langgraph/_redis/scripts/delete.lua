-- Deletes a thread.
-- KEYS data, index
-- Reply the run ids that it held, for the index of runs to forget.
local runs = redis.call('ZRANGEBYLEX', KEYS[2], '[r/', '(r0')
for i, run in ipairs(runs) do runs[i] = string.sub(run, 3) end
redis.call('UNLINK', KEYS[1], KEYS[2])
return runs
