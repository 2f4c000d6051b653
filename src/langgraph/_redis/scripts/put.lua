-- Stores one checkpoint with the values that are new, or nothing at all; then drops what is more than is kept.
-- KEYS data, index
-- ARGV namespace, id, parent, refs, refs that may be stored (tab-separated), rest of the record, run id,
--      '1' if this call comes with the registration of thread and run, the thread's life (as `prolong` says), most
--      checkpoints of the namespace or '', what of its parent this namespace belongs to
--      ("<namespace>/<id>\0<namespace>", or ''), count of reused fields, of new segments, then the lists: fields of
--      values and segments that are reused; fields of new segments; their bytes; (value field, value) per new value
-- Reply 1 when stored, or the run ids that ended with what was dropped; 2 when stored, and more is to drop than one
--      call may; 0 when something reused is gone or a segment's name is taken: send all of it whole;
--      -1 when the thread or the run must be registered first
--!include records
--!include life
--!include rebuild
--!include bound
local data, index, ns, id, run = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[7]
local reused, segments = tonumber(ARGV[12]), tonumber(ARGV[13])
local first, bytes, values = 14 + reused, 14 + reused + segments, 14 + reused + 2 * segments

-- A thread begins in a call that registers it. An index without data was left by an eviction.
local field = 'c/' .. ns .. '/' .. id
local made, own, mark, before = unpack(redis.call('HMGET', data, 't/made', 't/ttl', 't/sweep', field))
local born = not made and redis.call('EXISTS', data) == 0
if born and ARGV[8] ~= '1' then return -1 end
local indexed = born or redis.call('EXISTS', index) == 1
if not indexed then rebuild(data, index) end

for i = 14, first - 1 do
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

if born then begin(data, index) end
if before then
  local _, old = lines(before)
  for ref in string.gmatch(old or '', '\2?([^\t]+/[^\t]*)') do
    if not string.find('\t' .. refs .. '\t', '\t' .. ref .. '\t', 1, true) then refs = refs .. '\t\2' .. ref end
  end
end
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
if ARGV[11] ~= '' then redis.call('ZADD', index, 0, 'u/' .. ARGV[11]) end

-- While values are being collected, the collector learns of records made since it looked.
if mark and #mark < 65536 then
  redis.call('HSET', data, 't/sweep', mark .. '\n' .. field)
elseif mark then
  -- That sweep has ended without a word, or it begins anew.
  redis.call('HDEL', data, 't/sweep')
end
prolong(data, index, ARGV[9], own)
if not indexed then expire_index(data, index) end
return ARGV[10] == '' and 1 or bound(data, index, ns, id, tonumber(ARGV[10])) or 2
