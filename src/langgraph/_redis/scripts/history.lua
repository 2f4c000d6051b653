-- Walks the ancestors of a checkpoint for DeltaChannels: the nearest stored value, and the writes since.
-- KEYS data, index
-- ARGV namespace, id ('' for the largest), '1' if the id is where a walk goes on (else: of whom the
--      ancestors are asked), most ancestors, channels (tab-separated)
-- Reply {ancestor to go on at, or '', {{id, {task, entries, ...}, {channel, kind, payload, ...}}, ...}, {segment field, bytes, ...}}
--   kind 'v': payload is the value's field and payload the value; kind 'r': payload the record that holds it inline
--!include records
--!include life
--!include rebuild
local data, ns, id, most = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[4])
if not present(data, KEYS[2]) then return nil end
if id == '' then
  local newest = redis.call('ZREVRANGEBYLEX', KEYS[2], '(c/' .. ns .. '0', '[c/' .. ns .. '/', 'LIMIT', 0, 1)[1]
  if not newest then return nil end
  id = string.sub(newest, #ns + 4)
end

local function record_of(checkpoint)
  return checkpoint ~= '' and redis.call('HGET', data, 'c/' .. ns .. '/' .. checkpoint)
end

if ARGV[3] ~= '1' then
  local record = record_of(id)
  if not record then return nil end
  id = lines(record) or ''
end

local wanted, left = {}, 0
for channel in string.gmatch(ARGV[5], '[^\t]+') do
  wanted[channel] = true
  left = left + 1
end

local segments, seen = {}, {}
local function wanted_entries(id)
  local kept, writes = {}, writes_of(data, ns, id)
  for i = 1, #writes, 2 do
    local entries = {}
    if writes[i + 1] then
      each_entry(writes[i + 1], function(_, channel, entry)
        if wanted[channel] then
          entries[#entries + 1] = entry
          entry_segments(entry, segments, seen, '')
        end
      end)
    end
    if #entries > 0 or string.byte(writes[i]) == 10 then
      kept[#kept + 1] = writes[i]
      kept[#kept + 1] = table.concat(entries)
    end
  end
  return kept
end

local function seeds(record, refs)
  local found = {}
  for ref in string.gmatch(refs or '', '[^\t]+') do
    local channel = string.match(ref, '^[^/]*')
    if wanted[channel] then
      wanted[channel] = nil
      left = left - 1
      if channel == ref then
        for _, item in ipairs({channel, 'r', '', record}) do found[#found + 1] = item end
      else
        local field = 'v/' .. ns .. '/' .. ref
        local value = redis.call('HGET', data, field)
        if value then segment_fields(value, segments, seen, '') end
        for _, item in ipairs({channel, 'v', field, value}) do found[#found + 1] = item end
      end
    end
  end
  return found
end

local steps, record, size = {}, record_of(id), 0
while record and left > 0 and #steps < most and size < 4000000 do
  local parent, refs = lines(record)
  if parent == id then parent = '' end
  local entries = wanted_entries(id)
  for _, item in ipairs(entries) do size = size + #item end
  steps[#steps + 1] = {id, entries, seeds(record, refs)}
  id, record = parent or '', record_of(parent or '')
end
return {record and left > 0 and id or '', steps, with_names(segments, hmget(data, segments))}
