-- Adds entries to those that a write field holds. 1, or the field's name if it holds something else.
--!include entries
local function merge(data, field, blob)
  local order, held = {}, {}
  local function add(idx, _, entry)
    if not held[idx] then order[#order + 1] = idx end
    if idx < 0 or not held[idx] then held[idx] = entry end
  end
  if not each_entry(redis.call('HGET', data, field), add) then return field end
  each_entry(blob, add)
  local merged = {}
  for i, idx in ipairs(order) do merged[i] = held[idx] end
  redis.call('HSET', data, field, table.concat(merged))
  return 1
end
