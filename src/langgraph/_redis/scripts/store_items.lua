-- Items: to put, read and delete one, and to take away what expired.
-- A record is `<created> <updated> <life in us> <vectors>\n<value>`. Each prefix of a namespace has a sorted set of the
-- items below it, by last update, whose members leave the prefix away.
local expiries, namespaces = stem .. 'x', stem .. 'n'
local late, swept = false, 0

-- What the indexes get, one call for each at the end: `finish`.
local entered = {}

local function enter(prefix, member, instant)
  local waiting = entered[prefix] or {}
  entered[prefix] = waiting
  waiting[#waiting + 1], waiting[#waiting + 2] = instant, member
end

local function leave(prefix, member) redis.call('ZREM', stem .. 'o:' .. prefix, member) end

local function finish()
  for prefix, waiting in pairs(entered) do redis.call('ZADD', stem .. 'o:' .. prefix, unpack(waiting)) end
  if given ~= first then redis.call('HSET', clock, 't', given) end
end

local function remove(ns, key)
  local data = stem .. 'd:' .. ns
  local record = redis.call('HGET', data, key)
  redis.call('ZREM', expiries, ns .. '\0\0' .. key)
  if not record then return 0 end
  redis.call('HDEL', data, key)
  if redis.call('EXISTS', data) == 0 then redis.call('ZREM', namespaces, ns) end
  above(ns, key, leave)
  drop_vectors(ns, key, string.match(record, '^%d+ %d+ %d+ (%-?%d+)'))
  return 1
end

-- Takes away some of what expired, and tells how many; what is then still `late` must not be seen.
local function expire(count)
  local due = redis.call('ZRANGEBYSCORE', expiries, '-inf', now, 'LIMIT', 0, count + 1)
  for number = 1, math.min(count, #due) do remove(parted(due[number])) end
  late = #due > count
  return math.min(count, #due)
end

local function sweep_some() swept = expire(20) end

-- Takes how many at most. Reply: how many were taken away, 1 if there are more
local function sweep()
  local count = tonumber(take())
  if late then swept = swept + expire(count) end
  return {swept, late and 1 or 0}
end

local function gone(ns, key)
  if not late then return false end
  local expiry = redis.call('ZSCORE', expiries, ns .. '\0\0' .. key)
  return expiry and tonumber(expiry) <= now
end

-- An item that is there and has not expired: its record, and its life if it has one.
local function living(ns, key, record)
  if not record then return false end
  local life = string.match(record, '^%d+ %d+ (%d+)')
  if life == '0' then return record end
  if gone(ns, key) then return false end
  return record, tonumber(life)
end

local function expires(command, ns, key, life) command('ZADD', expiries, digits(now + life), ns .. '\0\0' .. key) end

-- For who reads: a server that takes no writes, being full for instance, answers all the same.
local function prolong(ns, key, life)
  if life then expires(redis.pcall, ns, key, life) end
end

-- Takes namespace, key, '1' if to read it prolongs its life. Reply: the record, or nil
local function get()
  local ns, key, refresh = take(), take(), take()
  local record, life = living(ns, key, redis.call('HGET', stem .. 'd:' .. ns, key))
  if refresh == '1' then prolong(ns, key, life) end
  return record
end

-- Takes namespace, key: its life begins anew
local function touch()
  local ns, key = take(), take()
  local _, life = living(ns, key, redis.call('HGET', stem .. 'd:' .. ns, key))
  prolong(ns, key, life)
  return 0
end

-- Takes namespace, key. Reply: whether it was there
local function delete() return remove(take(), take()) end

-- Takes namespace, key, life in us ('0': for ever), value, and its vectors as `add_vectors` says
local function put()
  local ns, key, life, value = take(), take(), take(), take()
  local data = stem .. 'd:' .. ns
  local before = redis.call('HGET', data, key)
  if before and gone(ns, key) then
    remove(ns, key)
    before = false
  end
  local updated = instant()
  local created, _, held, count = updated, nil, '0', '0'
  if before then created, _, held, count = string.match(before, '^(%d+) (%d+) (%d+) (%-?%d+)') end
  drop_vectors(ns, key, count)
  local header = created .. ' ' .. updated .. ' ' .. life .. ' ' .. add_vectors(ns, key) .. '\n'
  redis.call('HSET', data, key, header .. value)
  if not before then redis.call('ZADD', namespaces, 0, ns) end
  above(ns, key, enter, updated)
  if life ~= '0' then
    expires(redis.call, ns, key, tonumber(life))
  elseif held ~= '0' then
    redis.call('ZREM', expiries, ns .. '\0\0' .. key)
  end
  return 1
end
