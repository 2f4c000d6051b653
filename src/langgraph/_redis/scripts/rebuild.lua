-- Makes the index anew where it was evicted. True if there are data.
local function rebuild(data, index)
  if redis.call('EXISTS', data) == 0 then return false end
  local fields = {}
  for _, field in ipairs(redis.call('HKEYS', data)) do
    local kind = string.sub(field, 1, 2)
    if kind == 'c/' then
      fields[#fields + 1] = field
    elseif kind == 'u/' then
      local maker = redis.call('HGET', data, field)
      redis.call('ZADD', index, 0, 'u/' .. maker .. '\0' .. string.sub(field, 3))
    end
  end
  if #fields > 0 then redis.log(redis.LOG_NOTICE, 'langgraph: the index of a thread is gone and made anew') end
  local records = hmget(data, fields)
  for i, field in ipairs(fields) do
    local ns, id = string.match(field, '^c/([^/]*)/(.*)$')
    local _, _, run = lines(records[i])
    redis.call('ZADD', index, 0, field)
    if ns ~= '' then redis.call('ZADD', index, 0, 'i/' .. id .. '\0' .. ns) end
    if run and run ~= '' then redis.call('ZADD', index, 0, 'r/' .. run) end
  end
  expire_index(data, index)
  return true
end

-- Whether there is a thread, whose index is then there as well. An index without data is of one that is gone.
local function present(data, index)
  if redis.call('EXISTS', index) == 0 then return rebuild(data, index) end
  if redis.call('EXISTS', data) == 1 then return true end
  redis.call('UNLINK', index)
  return false
end
