-- Checkpoints as they are stored, to be taken elsewhere: their records and writes, and what these name.
-- KEYS data
-- ARGV most bytes, namespace, id for each checkpoint
-- Reply {count of those looked at: ask again for the rest, {field, bytes, ...}, fields of values and of segments of
--      writes, run ids}; a record's field if it is gone
--!include records
local data, size, at = KEYS[1], 0, 2
local stored, named, runs, values, segments = {}, {}, {}, {}, {}

local function take(field, bytes)
  if not bytes then return end
  stored[#stored + 1] = field
  stored[#stored + 1] = bytes
  size = size + #bytes
end

local function take_writes(ns, id)
  local list = redis.call('HGET', data, 'l/' .. ns .. '/' .. id)
  if not list then return end
  local _, chunks = tasks_in(data, ns, id, list)
  for chunk = 0, chunks - 1 do
    local names = 'm/' .. ns .. '/' .. chunk .. '/' .. id
    take(names, redis.call('HGET', data, names))
  end
  take('l/' .. ns .. '/' .. id, list)
  local writes = writes_of(data, ns, id)
  for i = 1, #writes, 2 do
    take('w/' .. ns .. '/' .. writes[i] .. '/' .. id, writes[i + 1])
    if writes[i + 1] then entry_segments(writes[i + 1], named, segments, '') end
  end
end

while at <= #ARGV and size < tonumber(ARGV[1]) do
  local ns, id = ARGV[at], ARGV[at + 1]
  local field = 'c/' .. ns .. '/' .. id
  local record = redis.call('HGET', data, field)
  local _, refs, run = lines(record or '')
  if not refs then return field end
  take(field, record)
  for _, value in ipairs(value_fields(ns, refs, values)) do named[#named + 1] = value end
  if run ~= '' then runs[#runs + 1] = run end
  take_writes(ns, id)
  at = at + 2
end
return {(at - 2) / 2, stored, named, runs}
