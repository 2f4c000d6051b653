-- Reading what keys.py lays out: shared by the scripts that answer with checkpoints.

local CHUNK = 4000 -- unpack() fails at 8,000 values

local function hmget(key, fields)
  local found = {}
  for first = 1, #fields, CHUNK do
    local last = math.min(first + CHUNK - 1, #fields)
    local part = redis.call('HMGET', key, unpack(fields, first, last))
    if last == #fields and first == 1 then return part end
    for i = 1, last - first + 1 do found[first + i - 1] = part[i] end
  end
  return found
end

-- The lines of a record: parent, refs, run, delta; all empty for a layout that we do not know,
-- which the client refuses by its first byte.
local function lines(record)
  local parent, refs, run, delta = string.match(record, '^1([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n')
  return parent or '', refs or '', run or '', delta or ''
end

-- The names of the write fields of one checkpoint: the last chunk, then the full ones.
local function tasks_of(data, ns, id)
  local list = redis.call('HGET', data, 'l/' .. ns .. '/' .. id)
  local tasks = {}
  if not list then return tasks end
  local full, rest = string.match(list, '^(%d+)\n(.*)$')
  for chunk = 0, tonumber(full) do
    local names = rest
    if chunk < tonumber(full) then
      names = redis.call('HGET', data, 'm/' .. ns .. '/' .. chunk .. '/' .. id) or ''
    end
    for task in string.gmatch(names, '[^\n]+') do tasks[#tasks + 1] = task end
  end
  return tasks
end

-- {task, blob, task, blob, ...}
local function writes_of(data, ns, id)
  local tasks, fields, writes = tasks_of(data, ns, id), {}, {}
  if #tasks == 0 then return writes end
  for i, task in ipairs(tasks) do fields[i] = 'w/' .. ns .. '/' .. task .. '/' .. id end
  local blobs = hmget(data, fields)
  for i, task in ipairs(tasks) do
    writes[#writes + 1] = task
    writes[#writes + 1] = blobs[i]
  end
  return writes
end

-- The fields of the values that a record names, in `fields`; each once, as `seen` remembers.
local function value_fields(ns, refs, fields, seen)
  for ref in string.gmatch(refs, '[^\t]+') do
    if string.find(ref, '/', 1, true) then
      local field = 'v/' .. ns .. '/' .. ref
      if not seen[field] then
        seen[field] = true
        fields[#fields + 1] = field
      end
    end
  end
end

-- The names of segments in a manifest: 10 characters each, after the M.
local function segment_fields(value, fields, seen)
  if not value or string.sub(value, 1, 1) ~= 'M' then return end
  local stop = string.find(value, '\n', 1, true)
  for first = 2, stop - 1, 10 do
    local name = string.sub(value, first, first + 9)
    if not seen[name] then
      seen[name] = true
      fields[#fields + 1] = 's/' .. name
    end
  end
end

local function with_names(fields, found)
  local pairs_ = {}
  for i, field in ipairs(fields) do
    pairs_[#pairs_ + 1] = field
    pairs_[#pairs_ + 1] = found[i]
  end
  return pairs_
end

local function size_of(list)
  local size = 0
  for _, item in ipairs(list) do if item then size = size + #item end end
  return size
end

-- Collects checkpoints, each value and each segment once. `known` lists segments that the client holds.
local function collector(data, known)
  local self = {entries = {}, size = 0}
  local values, value_seen = {}, {}
  local segments, segment_seen, segment_bytes = {}, {}, {}
  for name in string.gmatch(known, '%S+') do segment_seen[name] = true end

  -- False if there is no such checkpoint.
  function self.add(ns, id)
    local record = redis.call('HGET', data, 'c/' .. ns .. '/' .. id)
    if not record then return false end
    local first_segment = #segments + 1
    local _, refs = lines(record)
    local fields = {}
    value_fields(ns, refs, fields, value_seen)
    local found = #fields > 0 and hmget(data, fields) or {}
    for i, field in ipairs(fields) do
      values[#values + 1] = field
      values[#values + 1] = found[i]
      segment_fields(found[i], segments, segment_seen)
      self.size = self.size + (found[i] and #found[i] or 0)
    end
    local names = {}
    for i = first_segment, #segments do names[#names + 1] = segments[i] end
    local bytes = #names > 0 and hmget(data, names) or {}
    for i = 1, #names do
      segment_bytes[first_segment + i - 1] = bytes[i]
      self.size = self.size + (bytes[i] and #bytes[i] or 0)
    end
    local writes = writes_of(data, ns, id)
    self.size = self.size + #record + size_of(writes)
    self.entries[#self.entries + 1] = {ns, id, record, writes}
    return true
  end

  -- {entries, {value field, value, ...}, {segment field, bytes, ...}}
  function self.reply()
    return {self.entries, values, with_names(segments, segment_bytes)}
  end

  return self
end
