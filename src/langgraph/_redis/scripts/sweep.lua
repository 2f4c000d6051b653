-- Deletes a slice of what nothing needs, but for what was made since the survey.
-- KEYS data, index
-- ARGV token, count of words of records, namespace, id for each, count of members of calls that go, these,
--      fields of values and segments that go with the records
-- Reply 1; 0 if the sweep must begin anew: another one began, or a record was made that is rebuilt from its ancestors
--!include records
--!include dropping
--!include life
local data, index, token = KEYS[1], KEYS[2], ARGV[1]
local mark = redis.call('HGET', data, 't/sweep') or ''
if string.sub(mark, 1, #token) ~= token then return 0 end

-- Records made since the survey, what they name, the segments of that, and the calls that they are of.
local spared = {}
for field in string.gmatch(string.sub(mark, #token + 1), '[^\n]+') do
  spared[field] = true
  local ns = string.match(field, '^c/([^/]*)/')
  for stop in string.gmatch(ns .. '|', '()|') do spared['u/' .. string.sub(ns, 1, stop - 1)] = true end
  local record = redis.call('HGET', data, field)
  if record then
    local _, refs, _, delta = lines(record)
    if delta and delta ~= '' then return 0 end
    local segments = {}
    for _, value in ipairs(hmget(data, value_fields(ns, refs, spared))) do
      if value then segment_fields(value, segments, {}, '') end
    end
    for _, segment in ipairs(segments) do spared[segment] = true end
  end
end

local gone = going()
local others = 3 + tonumber(ARGV[2])
for at = 3, others - 1, 2 do
  if not spared['c/' .. ARGV[at] .. '/' .. ARGV[at + 1]] then
    add_record(gone, data, ARGV[at], ARGV[at + 1])
  end
end
local first = others + 1 + tonumber(ARGV[others])
for at = others + 1, first - 1 do
  if not spared['u/' .. string.match(ARGV[at], '%z(.*)$')] then gone.members[#gone.members + 1] = ARGV[at] end
end
for at = first, #ARGV do
  if not spared[ARGV[at]] then gone.fields[#gone.fields + 1] = ARGV[at] end
end
drop(data, index, gone)
redis.call('HSET', data, 't/swept', string.format('%.0f', now()))
return 1
