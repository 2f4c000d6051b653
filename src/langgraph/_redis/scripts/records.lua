-- Reading what keys.py lays out: shared by the scripts that answer with checkpoints.
--!include entries

local CHUNK = 4000 -- unpack() fails at 8,000 values

local function hmget(key, fields)
  if #fields == 0 then return fields end
  if #fields <= CHUNK then return redis.call('HMGET', key, unpack(fields)) end
  local found = {}
  for first = 1, #fields, CHUNK do
    local last = math.min(first + CHUNK - 1, #fields)
    local part = redis.call('HMGET', key, unpack(fields, first, last))
    for i = 1, last - first + 1 do found[first + i - 1] = part[i] end
  end
  return found
end

-- The lines of a record after its first byte, edition aside: parent, refs, run, delta; nil for a layout that we
-- do not know, which the client refuses by that byte.
local function lines(record)
  return string.match(record, '^1([^\n]*)\n[^\n]*\n([^\n]*)\n([^\n]*)\n([^\n]*)\n')
end

-- The names of the tasks with writes at one checkpoint, and how many full chunks its list has; `list` is the last
-- chunk, or false. A newline and the name of a field stand for what that field should have held and does not.
local FULL = 2040 -- bytes that each full chunk reaches
local function tasks_in(data, ns, id, list)
  local tasks, chunks = {}, 0
  if not list then return tasks, chunks end
  local full, rest = string.match(list, '^(%d+)\n(.+)$')
  while full and chunks < tonumber(full) do
    local field = 'm/' .. ns .. '/' .. chunks .. '/' .. id
    local names = redis.call('HGET', data, field)
    if names then chunks = chunks + 1 end
    if not names or #names < FULL then
      tasks[#tasks + 1] = '\n' .. field
      return tasks, chunks
    end
    for task in string.gmatch(names, '[^\n]+') do tasks[#tasks + 1] = task end
  end
  for task in string.gmatch(rest or '', '[^\n]+') do tasks[#tasks + 1] = task end
  if not full then tasks[1] = '\nl/' .. ns .. '/' .. id end
  return tasks, chunks
end

-- {task, blob, task, blob, ...}
local function writes_of(data, ns, id)
  local tasks, fields, writes = tasks_in(data, ns, id, redis.call('HGET', data, 'l/' .. ns .. '/' .. id)), {}, {}
  for i, task in ipairs(tasks) do fields[i] = 'w/' .. ns .. '/' .. task .. '/' .. id end
  local blobs = hmget(data, fields)
  for i, task in ipairs(tasks) do
    writes[2 * i - 1] = task
    writes[2 * i] = blobs[i]
  end
  return writes
end

-- The fields of the values that a record names, each once, as `seen` remembers. A ref after \2 is of
-- a value that it named before it was put anew, which its writes may need.
local function value_fields(ns, refs, seen)
  local fields = {}
  for ref in string.gmatch(refs or '', '[^\t]+') do
    if string.find(ref, '/', 1, true) then
      if string.byte(ref) == 2 then ref = string.sub(ref, 2) end
      local field = 'v/' .. ns .. '/' .. ref
      if not seen[field] then
        seen[field] = true
        fields[#fields + 1] = field
      end
    end
  end
  return fields
end

-- Adds to `fields` the segments of a manifest (10 characters each, after the M) that are not in `seen`
-- nor in `known`, a list of names between spaces: those of one value stand one behind the other there, so each is
-- looked for behind the one before it first.
local known_at = 1
local function segment_fields(value, fields, seen, known)
  if string.byte(value) ~= 77 then return end
  local stop = string.find(value, '\n', 1, true)
  if not stop then return end
  for first = 2, stop - 1, 10 do
    local name = string.sub(value, first, first + 9)
    if not seen[name] then
      seen[name] = true
      local at = string.sub(known, known_at, known_at + 9) == name and known_at or string.find(known, name, 1, true)
      if at then known_at = at + 11 else fields[#fields + 1] = 's/' .. name end
    end
  end
end

-- Likewise, the segments that the entries of a write field name.
local function entry_segments(blob, fields, seen, known)
  if not string.find(blob, '\n\4', 1, true) then return end
  each_entry(blob, function(_, _, entry)
    local names = string.match(entry, '^[^\n]*\n[^\n]*\n\4([^\n]*)\n')
    if names then segment_fields('M' .. names .. '\n', fields, seen, known) end
  end)
end

local function with_names(fields, found)
  local named = {}
  for i, field in ipairs(fields) do
    named[2 * i - 1] = field
    named[2 * i] = found[i]
  end
  return named
end
