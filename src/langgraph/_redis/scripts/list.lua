-- One page of checkpoints, largest id first.
-- KEYS data, index
-- ARGV upper and lower bound of members "c/<namespace>/<id>" of one namespace, the root's if all are listed;
--      upper and lower bound of members "i/<id>\0<namespace>" of all others, or '' and '';
--      most checkpoints, most bytes, '1' for values and writes too, names of segments that the client holds,
--      life (as `prolong` says) if to read it prolongs it, else '-'
-- Reply {namespace and id to go on below, or '' and '', then as checkpoints.lua says}; nil if there is no such
--      thread; a field's name if the index has it and the data do not
--!include checkpoints
local data, index = KEYS[1], KEYS[2]
local most, budget, known = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7] == '1' and ARGV[8]

local function range(upper, lower)
  return upper == '' and {} or redis.call('ZREVRANGEBYLEX', index, upper, lower, 'LIMIT', 0, most)
end

-- Whether one id is above another, byte by byte: Lua's own comparison follows the server's locale.
local function above(one, other)
  for i = 1, math.min(#one, #other) do
    local a, b = string.byte(one, i), string.byte(other, i)
    if a ~= b then return a > b end
  end
  return #one > #other
end

local listed, others = range(ARGV[1], ARGV[2]), range(ARGV[3], ARGV[4])
if #listed + #others == 0 then
  --!include life
  --!include rebuild
  if not present(data, index) then return nil end
  listed, others = range(ARGV[1], ARGV[2]), range(ARGV[3], ARGV[4])
end

-- The next checkpoint of both lists; where they hold one id, that of the other namespace goes first.
local a, b = 1, 1
local function following()
  local ns, id, other_id, other_ns
  if listed[a] then ns, id = string.match(listed[a], '^c/([^/]*)/(.*)$') end
  if others[b] then other_id, other_ns = string.match(others[b], '^i/(.*)%z(.*)$') end
  if other_id and (not id or not above(id, other_id)) then
    b = b + 1
    return other_ns, other_id
  end
  a = a + 1
  return ns, id
end

local wanted = {}
for at = 1, 2 * math.min(most, #listed + #others), 2 do wanted[at], wanted[at + 1] = following() end
local reply = {'', ''}
local count, gone = add_some(reply, data, wanted, budget, known)
if gone then
  --!include life
  --!include rebuild
  return present(data, index) and gone or nil
end
if ARGV[9] ~= '-' then
  --!include life
  prolong(data, index, ARGV[9], redis.call('HGET', data, 't/ttl'))
end
if count < #listed + #others or #listed == most or #others == most then
  reply[1], reply[2] = wanted[2 * count - 1] or '', wanted[2 * count] or ''
end
return reply
