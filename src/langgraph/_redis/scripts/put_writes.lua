-- Stores the writes of tasks, each at one checkpoint of the thread, which need not exist (yet).
-- KEYS data, index
-- ARGV in groups of 9: namespace, checkpoint id, task, entries, field of a value of this checkpoint whose
--      segments the entries name (or ''), the names of its segments up to the furthest of these, '1' if this call
--      comes with the thread's registration, its life (as `prolong` says), '1' if writes to a checkpoint that was
--      dropped may be left out
-- Reply for each group 1 when stored; 0 when that value is gone: send these writes whole; -1 when the thread must
--      be registered first; the field's name if it holds something that is no writes.
-- A regular write (idx >= 0) that is there already stays; a special one (idx < 0) is replaced.
local data, index = KEYS[1], KEYS[2]
local names = 'l/' .. ARGV[1] .. '/' .. ARGV[2]
local made, own, first = unpack(redis.call('HMGET', data, 't/made', 't/ttl', names))
local absent = not made and redis.call('EXISTS', data) == 0
-- Lists of tasks as they are to be stored in the end: most writes of one run are of one checkpoint.
local lists, changed = {[names] = first or ''}, {}

-- What is named must live as long as the writes: as a value of the same checkpoint.
local function missing(checkpoint, field, names)
  if field == '' then return false end
  local manifest = redis.call('HGET', data, field)
  return not manifest or string.sub(manifest, 1, 1 + #names) ~= 'M' .. names
    or redis.call('HEXISTS', data, 'c/' .. checkpoint) == 0
end

-- The list of tasks is kept in chunks: rewriting one long list for each task would be quadratic.
local function enlist(ns, id, task)
  local name = 'l/' .. ns .. '/' .. id
  local list = lists[name] or redis.call('HGET', data, name) or ''
  if list == '' then
    list = '0\n' .. task
  elseif #list < 2048 then
    list = list .. '\n' .. task
  else
    local full, rest = string.match(list, '^(%d+)\n(.*)$')
    if full then redis.call('HSET', data, 'm/' .. ns .. '/' .. full .. '/' .. id, rest) end
    -- A list that cannot be read stays what it is, for the reader to say so.
    list = full and (tonumber(full) + 1) .. '\n' .. task or list
  end
  lists[name], changed[name] = list, true
end

-- All checkpoints of the namespace that are left are younger than this one, which is gone.
local function dropped(ns, id)
  local stem = 'c/' .. ns
  return redis.call('HEXISTS', data, stem .. '/' .. id) == 0
    and redis.call('ZLEXCOUNT', index, '[' .. stem .. '/', '[' .. stem .. '/' .. id) == 0
    and redis.call('ZLEXCOUNT', index, '[' .. stem .. '/', '(' .. stem .. '0') > 0
end

local stored, life = {}, nil
for at = 1, #ARGV, 9 do
  local ns, id = ARGV[at], ARGV[at + 1]
  local answer = 1
  if absent and ARGV[at + 6] ~= '1' then
    answer = -1
  elseif not absent and ARGV[at + 8] == '1' and dropped(ns, id) then
    answer = 1
  elseif missing(ns .. '/' .. id, ARGV[at + 4], ARGV[at + 5]) then
    answer = 0
  else
    if absent then
      --!include life
      begin(data, index)
    end
    absent = false
    local field = 'w/' .. ns .. '/' .. ARGV[at + 2] .. '/' .. id
    if redis.call('HSETNX', data, field, ARGV[at + 3]) == 1 then
      enlist(ns, id, ARGV[at + 2])
    else
      --!include merge
      answer = merge(data, field, ARGV[at + 3])
    end
    if own or ARGV[at + 7] ~= '' then life = ARGV[at + 7] end
  end
  stored[#stored + 1] = answer
end
for name in pairs(changed) do redis.call('HSET', data, name, lists[name]) end
if life then
  --!include life
  prolong(data, index, life, own)
end
return stored
