-- Whole checkpoints, a batch at a time, in one flat reply: each table in a reply costs the server a block of memory.
-- Of a batch: how many values, segments, checkpoints; (value field, value) and (segment field, bytes), each once in
-- the reply; (namespace, id, record, how many tasks, (task, writes) of each) of those that are there.
--!include records

-- Adds names, and the items of these names, which stand in `items` behind some others.
local function append(reply, names, items, others, count)
  local at = #reply
  for i = 1, count do
    reply[at + 1], reply[at + 2] = names[i], items[others + i]
    at = at + 2
  end
end

-- Adds the checkpoints that `wanted`, {namespace, id, namespace, id, ...}, names from `first` to `last`. Returns how
-- many bytes they take, and the field of one that is gone, or nil. `seen` and `known`: see `segment_fields`; without
-- `known`, records alone.
local function add(reply, data, wanted, first, last, seen, known)
  local names, fields, tasks, pieces, size, count, gone = {}, {}, {}, {}, 0, 0, nil
  for at = first, last, 2 do
    local name = wanted[at] .. '/' .. wanted[at + 1]
    names[#names + 1] = 'c/' .. name
    names[#names + 1] = 'l/' .. name
  end
  local found = hmget(data, names)
  for i = 1, #names, 2 do
    local record = found[i]
    if record then
      size, count = size + #record, count + 1
      local refs = known and string.match(record, '^1[^\n]*\n[^\n]*\n([^\n]*)\n')
      value_fields(wanted[first + i - 1], refs, seen, fields)
    else
      gone = names[i]
    end
  end
  local values = #fields
  for i = 1, #names, 2 do
    if found[i] then
      local ns, id = wanted[first + i - 1], wanted[first + i]
      tasks[i] = tasks_in(data, ns, id, known and found[i + 1])
      for _, task in ipairs(tasks[i]) do fields[#fields + 1] = 'w/' .. ns .. '/' .. task .. '/' .. id end
    end
  end
  local items = hmget(data, fields)
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
  reply[at + 1], reply[at + 2], reply[at + 3] = values, #pieces, count
  append(reply, fields, items, 0, values)
  append(reply, pieces, sealed, 0, #pieces)
  for i = 1, #names, 2 do
    if found[i] then
      at = #reply
      reply[at + 1], reply[at + 2], reply[at + 3] = wanted[first + i - 1], wanted[first + i], found[i]
      reply[at + 4] = #tasks[i]
      append(reply, tasks[i], items, values, #tasks[i])
      values = values + #tasks[i]
    end
  end
  return size, gone
end

-- Adds the first of `wanted` until they take `budget` bytes. Returns how many those were, and the field of one that
-- is gone, or nil. A batch is as many as would fit by what the others took, and not many more than the last: the
-- next ones may be larger.
local function add_some(reply, data, wanted, budget, known)
  local all, count, size, batch, seen, gone = #wanted / 2, 0, 0, 1, {}, nil
  while count < all and size < budget do
    batch = math.min(batch, all - count)
    local added, lost = add(reply, data, wanted, 2 * count + 1, 2 * (count + batch), seen, known)
    count, size, gone = count + batch, size + added, lost or gone
    local fit = math.floor((budget - size) * count / (size + 1))
    batch = math.max(1, math.min(fit, 4 * batch, 8))
  end
  return count, gone
end
