-- Stores one checkpoint with the values that are new, or nothing at all.
-- KEYS data, index
-- ARGV namespace, id, parent, refs, refs that may be stored (tab-separated), rest of the record, run id,
--      '1' if the run was told of this thread just now, count of reused fields, of new segments, then the lists:
--      fields of values and segments that are reused; fields of new segments; their bytes;
--      (value field, value) per new value
-- Reply 1 when stored; 0 when something reused is gone or a segment's name is taken: send all of it whole;
--      -1 when the run must be told of this thread first
local data, index, ns, id, run = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[7]
local reused, segments = tonumber(ARGV[9]), tonumber(ARGV[10])
local first, bytes, values = 11 + reused, 11 + reused + segments, 11 + reused + 2 * segments

for i = 11, first - 1 do
  if redis.call('HEXISTS', data, ARGV[i]) == 0 then return 0 end
end
if run ~= '' and ARGV[8] == '0' and not redis.call('ZSCORE', index, 'r/' .. run) then return -1 end

-- The same bytes under the name of a new segment: this very call, sent again after a lost reply.
for i = 0, segments - 1 do
  local taken = redis.call('HGET', data, ARGV[first + i])
  if taken and taken ~= ARGV[bytes + i] then return 0 end
end

local refs = ARGV[4]
for ref in string.gmatch(ARGV[5], '[^\t]+') do
  if redis.call('HEXISTS', data, 'v/' .. ns .. '/' .. ref) == 1 then
    refs = refs == '' and ref or refs .. '\t' .. ref
  end
end

local field = 'c/' .. ns .. '/' .. id
local fresh = {field, '1' .. ARGV[3] .. '\n' .. refs .. '\n' .. ARGV[6]}
for i = 0, segments - 1 do
  fresh[2 * i + 3] = ARGV[first + i]
  fresh[2 * i + 4] = ARGV[bytes + i]
end
for i = 1, #fresh, 4000 do
  redis.call('HSET', data, unpack(fresh, i, math.min(i + 3999, #fresh)))
end
for i = values, #ARGV, 4000 do
  redis.call('HSET', data, unpack(ARGV, i, math.min(i + 3999, #ARGV)))
end
redis.call('ZADD', index, 0, field)
if ns ~= '' then redis.call('ZADD', index, 0, 'i/' .. id .. '\0' .. ns) end
if run ~= '' then redis.call('ZADD', index, 0, 'r/' .. run) end

-- While values are being collected, the collector learns of records made since it looked.
local mark = redis.call('HGET', data, 't/sweep')
if mark and #mark < 65536 then
  redis.call('HSET', data, 't/sweep', mark .. '\n' .. field)
elseif mark then
  -- That sweep has ended without a word, or it begins anew.
  redis.call('HDEL', data, 't/sweep')
end
return 1
