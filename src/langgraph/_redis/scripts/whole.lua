-- Whether a value is stored, with all its segments. Such a one stays as it is: others may name them.
local function whole(data, name)
  local value, pieces = redis.call('HGET', data, name), {}
  if not value then return false end
  segment_fields(value, pieces, {}, '')
  for _, piece in ipairs(pieces) do
    if redis.call('HEXISTS', data, piece) == 0 then return false end
  end
  return true
end
