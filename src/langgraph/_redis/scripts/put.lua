-- Stores one checkpoint with the values that are new, or nothing at all.
-- KEYS data, index
-- ARGV namespace, id, parent, refs, refs that may be stored (tab-separated), rest of the record, run id,
--      count of checks, count of segments, then
--      (value field, segment it must name or '') per check: what is reused must still be there,
--      (segment field, bytes) per new segment, (value field, bytes) per new value
-- Reply 1 when stored; 0 when something reused is gone or a segment's name is taken: send all of it whole.
local data, index = KEYS[1], KEYS[2]
local ns, id = ARGV[1], ARGV[2]
local at = 10

for _ = 1, tonumber(ARGV[8]) do
  local field, segment = ARGV[at], ARGV[at + 1]
  if segment == '' then
    if redis.call('HEXISTS', data, field) == 0 then return 0 end
  else
    -- A manifest with this name has the same segments before it: names are random, never used twice.
    local value = redis.call('HGET', data, field)
    if not value or not string.find(value, segment, 1, true) then return 0 end
  end
  at = at + 2
end

local first = at
for _ = 1, tonumber(ARGV[9]) do
  -- The same bytes under the name: this very call, sent again after a lost reply.
  if redis.call('HEXISTS', data, ARGV[at]) == 1 and redis.call('HGET', data, ARGV[at]) ~= ARGV[at + 1] then
    return 0
  end
  at = at + 2
end

local refs = ARGV[4]
for ref in string.gmatch(ARGV[5], '[^\t]+') do
  if redis.call('HEXISTS', data, 'v/' .. ns .. '/' .. ref) == 1 then
    refs = refs == '' and ref or refs .. '\t' .. ref
  end
end

local field = 'c/' .. ns .. '/' .. id
redis.call('HSET', data, field, '1' .. ARGV[3] .. '\n' .. refs .. '\n' .. ARGV[6])
for i = first, #ARGV, 4000 do
  redis.call('HSET', data, unpack(ARGV, i, math.min(i + 3999, #ARGV)))
end
redis.call('ZADD', index, 0, field, 0, 'i/' .. id .. '\0' .. ns)
if ARGV[7] ~= '' then redis.call('ZADD', index, 0, 'r/' .. ARGV[7]) end

-- While values are being collected, the collector learns of records made since it looked.
local journal = redis.call('HGET', data, 't/sweep')
if journal then redis.call('HSET', data, 't/sweep', journal .. '\n' .. field) end
return 1
