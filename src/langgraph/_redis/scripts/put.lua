-- Stores one checkpoint with the values that are new, or nothing at all.
-- KEYS data, index
-- ARGV namespace, id, parent, refs, refs that may be stored (tab-separated), rest of the record, run id,
--      count of reused values, of extended values, of new segments, then the lists:
--      value fields that are reused; value fields that are extended; segment fields that are new;
--      the segment that each extended value must name; the bytes of each new segment;
--      (value field, value) per new value
-- Reply 1 when stored; 0 when something reused is gone or a segment's name is taken: send all of it whole.
local data, ns, id = KEYS[1], ARGV[1], ARGV[2]
local reused, extended, segments = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local at = 11 + reused
local named, values = at + extended + segments, at + 2 * (extended + segments)

for i = 11, at - 1 do
  if redis.call('HEXISTS', data, ARGV[i]) == 0 then return 0 end
end

-- What must be there, what must not, and the mark of a sweep, in one look.
local found = redis.call('HMGET', data, 't/sweep', unpack(ARGV, at, named - 1))
for i = 1, extended do
  -- A manifest with this name has the same segments before it: names are random, never used twice.
  local manifest = found[i + 1]
  if not manifest or not string.find(manifest, ARGV[named + i - 1], 1, true) then return 0 end
end
for i = extended + 1, extended + segments do
  -- The same bytes under the name: this very call, sent again after a lost reply.
  local bytes = found[i + 1]
  if bytes and bytes ~= ARGV[named + i - 1] then return 0 end
end

local refs = ARGV[4]
for ref in string.gmatch(ARGV[5], '[^\t]+') do
  if redis.call('HEXISTS', data, 'v/' .. ns .. '/' .. ref) == 1 then
    refs = refs == '' and ref or refs .. '\t' .. ref
  end
end

local field = 'c/' .. ns .. '/' .. id
local fresh = {field, '1' .. ARGV[3] .. '\n' .. refs .. '\n' .. ARGV[6]}
for i = 1, segments do
  fresh[2 * i + 1] = ARGV[at + extended + i - 1]
  fresh[2 * i + 2] = ARGV[named + extended + i - 1]
end
redis.call('HSET', data, unpack(fresh))
for i = values, #ARGV, 4000 do
  redis.call('HSET', data, unpack(ARGV, i, math.min(i + 3999, #ARGV)))
end
redis.call('ZADD', KEYS[2], 0, field)
if ns ~= '' then redis.call('ZADD', KEYS[2], 0, 'i/' .. id .. '\0' .. ns) end
if ARGV[7] ~= '' then redis.call('ZADD', KEYS[2], 0, 'r/' .. ARGV[7]) end

-- While values are being collected, the collector learns of records made since it looked.
if found[1] then redis.call('HSET', data, 't/sweep', found[1] .. '\n' .. field) end
return 1
