-- Stores one checkpoint with the values that are new, or nothing at all; then drops what is more than is kept.
-- KEYS data, index
-- ARGV namespace, id, parent, refs, refs that may be stored (tab-separated), rest of the record, run id,
--      '1' if this call comes with the registration of thread and run, the thread's life (as `prolong` says), most
--      checkpoints of the namespace or '', what of its parent this namespace belongs to
--      ("<namespace>/<id>\0<namespace>", or ''), when the thread began as far as the caller knows (or ''), '1' to
--      store nothing beside a checkpoint that is newer than the parent, count of values that are kept if they are
--      there, field of a checkpoint some of whose values are reused (or '') and its edition, what the edition of this
--      one begins with, counts of other values that are reused, of values whose segments are, of new segments, then
--      the lists: fields of the first; (field, segment names that it begins with) of the second; fields of new
--      segments; their bytes; (value field, value) per new value, those first that are kept if they are there
-- Reply 1 when stored, or the run ids that ended with what was dropped; 2 when stored, and more is to drop than one
--      call may; 0 when something reused is gone or a segment's name is taken: send all of it whole;
--      -1 when the thread or the run must be registered first; -2 when the thread is gone, and with it what a
--      DeltaChannel would be rebuilt from; the newest checkpoint's member if it is newer than the parent
-- What few calls need is included where they need it: to make a function costs each run of the script.
local data, index, ns, id, run = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[7]
local spared, base, shared, segments = tonumber(ARGV[14]), ARGV[15], 21 + tonumber(ARGV[18]), tonumber(ARGV[20])
local first = shared + 2 * tonumber(ARGV[19])
local bytes, values = first + segments, first + 2 * segments

-- A thread begins in a call that registers it. An index without data was left by an eviction.
local field = 'c/' .. ns .. '/' .. id
local made, own, mark, before = unpack(redis.call('HMGET', data, 't/made', 't/ttl', 't/sweep', field))
local born = not made and redis.call('EXISTS', data) == 0
local delta = string.find(ARGV[6], '^[^\n]*\n[^\n]') and ARGV[3] ~= '' and ARGV[3] ~= id
if delta and redis.call('HEXISTS', data, 'c/' .. ns .. '/' .. ARGV[3]) == 0 then return -2 end
if born and ARGV[8] ~= '1' or ARGV[12] ~= '' and ARGV[12] ~= made then return -1 end
local indexed = born or redis.call('EXISTS', index) == 1
if not indexed then
  --!include records
  --!include life
  --!include rebuild
  rebuild(data, index)
end

if ARGV[13] == '1' and not before and not born then
  local above = ARGV[3] == '' and '[c/' .. ns .. '/' or '(c/' .. ns .. '/' .. ARGV[3]
  local newest = redis.call('ZREVRANGEBYLEX', index, '(c/' .. ns .. '0', above, 'LIMIT', 0, 1)[1]
  if newest then return newest end
end

local refs, edition = ARGV[4], ARGV[17]
for ref in string.gmatch(ARGV[5], '[^\t]+') do
  local found = redis.call('HEXISTS', data, 'v/' .. ns .. '/' .. ref) == 1
  if found then refs = refs == '' and ref or refs .. '\t' .. ref end
  edition = edition .. (found and '+' or '-')
end
local head = '1' .. ARGV[3] .. '\n' .. edition .. '\n'
local record = head .. refs .. '\n' .. ARGV[6]

-- This very call, sent again after a lost reply, finds what it stored; what it built on may be dropped since.
local again = before == record
for i = values, again and #ARGV or 0, 2 do
  again = again and redis.call('HGET', data, ARGV[i]) == ARGV[i + 1]
end

-- A checkpoint has the values that it names for as long as it is there. Segments are looked for one by one: they
-- are what most of a thread is made of.
if not again then
  if base ~= '' then
    local known = string.match(redis.call('HGET', data, base) or '', '^1[^\n]*\n([^\n]*)\n')
    if known ~= ARGV[16] then return 0 end
  end
  for i = 21, shared - 1 do
    if redis.call('HEXISTS', data, ARGV[i]) == 0 then return 0 end
  end
  for i = shared, first - 1, 2 do
    local manifest, names = redis.call('HGET', data, ARGV[i]), ARGV[i + 1]
    if not manifest or string.sub(manifest, 1, 1 + #names) ~= 'M' .. names then return 0 end
    for at = 1, #names, 10 do
      if redis.call('HEXISTS', data, 's/' .. string.sub(names, at, at + 9)) == 0 then return 0 end
    end
  end
end
if run ~= '' and ARGV[8] == '0' and not redis.call('ZSCORE', index, 'r/' .. run) then return -1 end

-- The same bytes under the name of a new segment: this very call, sent again after a lost reply.
for i = 0, segments - 1 do
  local taken = redis.call('HGET', data, ARGV[first + i])
  if taken and taken ~= ARGV[bytes + i] then return 0 end
end

if born then
  --!include life
  begin(data, index)
end
if before then
  --!include records
  local _, old = lines(before)
  for ref in string.gmatch(old or '', '\2?([^\t]+/[^\t]*)') do
    if not string.find('\t' .. refs .. '\t', '\t' .. ref .. '\t', 1, true) then
      refs = refs .. (refs == '' and '\2' or '\t\2') .. ref
    end
  end
  record = head .. refs .. '\n' .. ARGV[6]
end
local fresh = {field, record}
local function store(name, value)
  fresh[#fresh + 1] = name
  fresh[#fresh + 1] = value
end
local named
if spared > 0 then
  --!include records
  --!include whole
  named = {}
  for i = values, #ARGV, 2 do
    if i >= values + 2 * spared or not whole(data, ARGV[i]) then
      store(ARGV[i], ARGV[i + 1])
      segment_fields(ARGV[i + 1], {}, named, '')
    end
  end
else
  for i = values, #ARGV do fresh[#fresh + 1] = ARGV[i] end
end
for i = 0, segments - 1 do
  local segment = ARGV[first + i]
  if not named or named[string.sub(segment, 3)] then store(segment, ARGV[bytes + i]) end
end
for i = 1, #fresh, 4000 do
  redis.call('HSET', data, unpack(fresh, i, math.min(i + 3999, #fresh)))
end
redis.call('ZADD', index, 0, field)
if ns ~= '' then redis.call('ZADD', index, 0, 'i/' .. id .. '\0' .. ns) end
if run ~= '' then redis.call('ZADD', index, 0, 'r/' .. run) end
if ARGV[11] ~= '' then
  local maker, call = string.match(ARGV[11], '^(.*)%z(.*)$')
  redis.call('HSET', data, 'u/' .. call, maker)
  redis.call('ZADD', index, 0, 'u/' .. ARGV[11])
end

-- While values are being collected, the collector learns of records made since it looked.
if mark then
  --!include life
  local quiet = now() - tonumber(redis.call('HGET', data, 't/swept') or 0)
  if #mark < 65536 and quiet < 120000 then
    redis.call('HSET', data, 't/sweep', mark .. '\n' .. field)
  else
    -- That sweep has ended without a word, or it begins anew.
    redis.call('HDEL', data, 't/sweep', 't/swept')
    mark = nil
  end
end
if own or ARGV[9] ~= '' or not indexed then
  --!include life
  prolong(data, index, ARGV[9], own)
  if not indexed then expire_index(data, index) end
end
-- A sweep counts on what it saw: the next put drops what is more.
if ARGV[10] == '' or mark then return 1 end
local keep, count = tonumber(ARGV[10]), redis.call('ZLEXCOUNT', index, '[c/' .. ns .. '/', '(c/' .. ns .. '0')
if count <= keep + math.floor(keep / 20) then return {} end
--!include records
--!include bound
return bound(data, index, ns, id, keep, count) or 2
