-- Whole checkpoints, one behind the other in one flat reply: each table in a reply costs the server a block of memory.
-- Of each: namespace, id, record; how many values, segments, tasks; (value field, value), (segment field, bytes), each
-- once in the reply; (task, writes).
--!include records

-- Adds names, and the items of these names, which stand in `items` behind some others.
local function append(reply, names, items, others, count)
  local at = #reply
  for i = 1, count do
    reply[at + 1], reply[at + 2] = names[i], items[others + i]
    at = at + 2
  end
end

-- Adds one checkpoint; `list` is the last chunk of its list of tasks. Returns how many bytes it takes. `seen` and
-- `known`: see `segment_fields`; without `known`, the record alone.
local function add(reply, data, ns, id, record, list, seen, known)
  local fields = known and value_fields(ns, string.match(record, '^1[^\n]*\n[^\n]*\n([^\n]*)\n'), seen) or {}
  local values, tasks = #fields, tasks_in(data, ns, id, list)
  for i, task in ipairs(tasks) do fields[values + i] = 'w/' .. ns .. '/' .. task .. '/' .. id end
  local size, pieces, items = #record, {}, hmget(data, fields)
  for i, item in ipairs(items) do
    if item then
      size = size + #item
      local find = i <= values and segment_fields or entry_segments
      find(item, pieces, seen, known)
    end
  end
  local sealed = hmget(data, pieces)
  for _, bytes in ipairs(sealed) do size = size + (bytes and #bytes or 0) end

  local at = #reply
  reply[at + 1], reply[at + 2], reply[at + 3] = ns, id, record
  reply[at + 4], reply[at + 5], reply[at + 6] = values, #pieces, #tasks
  append(reply, fields, items, 0, values)
  append(reply, pieces, sealed, 0, #pieces)
  append(reply, tasks, items, values, #tasks)
  return size
end

-- Adds the first of `wanted`, {namespace, id, namespace, id, ...}, until they take `budget` bytes or one is gone.
-- Returns how many those were, and the field of the one that is gone, or nil. Records are small, and read ahead;
-- what they name is read one checkpoint at a time, since it may be large.
local AHEAD = 8
local function add_some(reply, data, wanted, budget, known)
  local count, size, seen, step = 0, 0, {}, known and 2 or 1
  while 2 * count < #wanted and size < budget do
    local names = {}
    for at = 2 * count + 1, math.min(2 * (count + AHEAD), #wanted), 2 do
      local name = wanted[at] .. '/' .. wanted[at + 1]
      names[#names + 1] = 'c/' .. name
      if known then names[#names + 1] = 'l/' .. name end
    end
    local found = hmget(data, names)
    for i = 1, #names, step do
      if size >= budget then break end
      count = count + 1
      if not found[i] then return count, names[i] end
      local list = known and found[i + 1]
      size = size + add(reply, data, wanted[2 * count - 1], wanted[2 * count], found[i], list, seen, known)
    end
  end
  return count, nil
end
