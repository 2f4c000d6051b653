-- Stores the writes of one task at one checkpoint, which need not exist (yet).
-- KEYS data
-- ARGV namespace, checkpoint id, task, entries, field of a value of this checkpoint whose segments entries name
--      (or ''), the last of these segments
-- Reply 1 when stored; 0 when that value is gone: send the writes whole.
-- A regular write (idx >= 0) that is there already stays; a special one (idx < 0) is replaced.
--!include entries
local data = KEYS[1]
local ns, id, task, blob = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local field = 'w/' .. ns .. '/' .. task .. '/' .. id

if ARGV[5] ~= '' then
  local manifest = redis.call('HGET', data, ARGV[5])
  if not manifest or not string.find(manifest, ARGV[6], 1, true) then return 0 end
  if redis.call('HEXISTS', data, 'c/' .. ns .. '/' .. id) == 0 then return 0 end
end

if redis.call('HSETNX', data, field, blob) == 0 then
  local order, held = {}, {}
  local function add(idx, _, entry)
    if not held[idx] then order[#order + 1] = idx end
    if idx < 0 or not held[idx] then held[idx] = entry end
  end
  each_entry(redis.call('HGET', data, field), add)
  each_entry(blob, add)
  local merged = {}
  for i, idx in ipairs(order) do merged[i] = held[idx] end
  redis.call('HSET', data, field, table.concat(merged))
  return 1
end

-- The list of tasks, in chunks: rewriting one long list for each task would be quadratic.
local names = 'l/' .. ns .. '/' .. id
local list = redis.call('HGET', data, names)
if not list then
  list = '0\n' .. task
elseif #list < 2048 then
  list = list .. '\n' .. task
else
  local full, rest = string.match(list, '^(%d+)\n(.*)$')
  redis.call('HSET', data, 'm/' .. ns .. '/' .. full .. '/' .. id, rest)
  list = (tonumber(full) + 1) .. '\n' .. task
end
redis.call('HSET', data, names, list)
return 1
