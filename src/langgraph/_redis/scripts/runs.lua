-- The runs that an index holds.
local function runs_of(index)
  local runs = redis.call('ZRANGEBYLEX', index, '[r/', '(r0')
  for i, run in ipairs(runs) do runs[i] = string.sub(run, 3) end
  return runs
end
