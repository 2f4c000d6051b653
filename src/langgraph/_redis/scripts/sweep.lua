-- Deletes a slice of what nothing needs, but for what was made since the survey.
-- KEYS data, index
-- ARGV token, count of words of records, namespace, id for each, fields of values and segments that go with them
-- Reply 1; 0 if the sweep must begin anew: another one began, or a record was made that is rebuilt from its ancestors
--!include records
local data, index, token = KEYS[1], KEYS[2], ARGV[1]
local mark = redis.call('HGET', data, 't/sweep') or ''
if string.sub(mark, 1, #token) ~= token then return 0 end

-- Records made since the survey, what they name, and the segments of that.
local spared = {}
for field in string.gmatch(string.sub(mark, #token + 1), '[^\n]+') do
  spared[field] = true
  local record = redis.call('HGET', data, field)
  if record then
    local _, refs, _, delta = lines(record)
    if delta and delta ~= '' then return 0 end
    local segments = {}
    for _, value in ipairs(hmget(data, value_fields(string.match(field, '^c/([^/]*)/'), refs, spared))) do
      if value then segment_fields(value, segments, {}, '') end
    end
    for _, segment in ipairs(segments) do spared[segment] = true end
  end
end

local function drop(key, command, list)
  for first = 1, #list, 4000 do
    redis.call(command, key, unpack(list, first, math.min(first + 3999, #list)))
  end
end

local fields, members = {}, {}
local function record_fields(ns, id)
  local field = 'c/' .. ns .. '/' .. id
  if spared[field] then return end
  for _, task in ipairs(tasks_of(data, ns, id)) do fields[#fields + 1] = 'w/' .. ns .. '/' .. task .. '/' .. id end
  local list = redis.call('HGET', data, 'l/' .. ns .. '/' .. id)
  for chunk = 0, (list and tonumber(string.match(list, '^%d+')) or 0) - 1 do
    fields[#fields + 1] = 'm/' .. ns .. '/' .. chunk .. '/' .. id
  end
  fields[#fields + 1] = 'l/' .. ns .. '/' .. id
  fields[#fields + 1] = field
  members[#members + 1] = field
  if ns ~= '' then members[#members + 1] = 'i/' .. id .. '\0' .. ns end
end

local first = 3 + tonumber(ARGV[2])
for at = 3, first - 1, 2 do record_fields(ARGV[at], ARGV[at + 1]) end
for at = first, #ARGV do
  if not spared[ARGV[at]] then fields[#fields + 1] = ARGV[at] end
end
drop(data, 'HDEL', fields)
drop(index, 'ZREM', members)
return 1
