-- One page of checkpoints, largest id first.
-- KEYS data, index
-- ARGV upper and lower bound (ZREVRANGEBYLEX), most checkpoints, most bytes, '1' for values and writes too,
--      names of segments that the client holds
-- Reply {member to go on below, or '', then as `collector` says}; nil if there is no such thread
--!include records
local upper, lower, most, budget, whole = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1'
local members = redis.call('ZREVRANGEBYLEX', KEYS[2], upper, lower, 'LIMIT', 0, most)
if not members[1] and redis.call('EXISTS', KEYS[1], KEYS[2]) == 0 then return nil end
local found = collector(KEYS[1], ARGV[6])
local size, at = 0, 0

-- Members are "c/<namespace>/<id>" or "i/<id>\0<namespace>".
local function split(member)
  if string.sub(member, 1, 2) == 'c/' then return string.match(member, '^c/([^/]*)/(.*)$') end
  local id, ns = string.match(member, '^i/(.*)%z(.*)$')
  return ns, id
end

for i, member in ipairs(members) do
  local ns, id = split(member)
  if whole then
    found.add(ns, id)
    size = found.size
  else
    local record = redis.call('HGET', KEYS[1], 'c/' .. ns .. '/' .. id)
    if record then
      found.entries[#found.entries + 1] = {ns, id, record, {}}
      size = size + #record
    end
  end
  at = i
  if size >= budget then break end
end

local reply = found.reply()
local more = #members > 0 and (at < #members or #members == most)
return {more and members[at] or '', reply[1], reply[2], reply[3]}
