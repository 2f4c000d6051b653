-- Stores the writes of tasks, each at one checkpoint of the thread, which need not exist (yet).
-- KEYS data
-- ARGV in groups of 6: namespace, checkpoint id, task, entries, field of a value of this checkpoint whose
--      segments the entries name (or ''), the furthest of these segments
-- Reply for each group 1 when stored; 0 when that value is gone: send these writes whole; the field's name if it
--      holds something that is no writes.
-- A regular write (idx >= 0) that is there already stays; a special one (idx < 0) is replaced.
--!include entries
local data = KEYS[1]

-- What is named must live as long as the writes: as a value of the same checkpoint.
local function missing(checkpoint, field, segment)
  if field == '' then return false end
  local manifest = redis.call('HGET', data, field)
  return not manifest or not string.find(manifest, segment, 1, true)
    or redis.call('HEXISTS', data, 'c/' .. checkpoint) == 0
end

local function merge(field, blob)
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

-- The list of tasks is kept in chunks: rewriting one long list for each task would be quadratic.
local function enlist(ns, id, task)
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
end

local stored = {}
for at = 1, #ARGV, 6 do
  local ns, id, task, blob = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local field = 'w/' .. ns .. '/' .. task .. '/' .. id
  if missing(ns .. '/' .. id, ARGV[at + 4], ARGV[at + 5]) then
    stored[#stored + 1] = 0
  else
    local new = redis.call('HSETNX', data, field, blob) == 1
    if new then enlist(ns, id, task) end
    stored[#stored + 1] = new and 1 or merge(field, blob)
  end
end
return stored
