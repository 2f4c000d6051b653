-- When a thread begins, and when it expires: both keys at one instant, in milliseconds by the server's clock.

local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function expire_at(data, index, at)
  local instant = string.format('%.0f', at)
  redis.call('PEXPIREAT', data, instant)
  redis.call('PEXPIREAT', index, instant)
end

-- The index was made anew: it expires with the data.
local function expire_index(data, index)
  local left = redis.call('PTTL', data)
  if left >= 0 then expire_at(data, index, now() + left) end
end

-- `life` is what a saver says: '' for nothing, milliseconds, or '=' and milliseconds for this call (0: for ever).
-- `own` is what the thread says (t/ttl: milliseconds, 0 if it is pinned), and goes before what a saver says; a
-- pin goes before all.
local function prolong(data, index, life, own)
  if own and (own == '0' or string.byte(life) ~= 61) then life = own end
  local ms = tonumber(string.match(life, '%d+'))
  if ms == 0 then
    redis.call('PERSIST', data)
    redis.call('PERSIST', index)
  elseif ms then
    expire_at(data, index, now() + ms)
  end
end

-- A thread is made: nothing of an earlier one may be left, and it knows since when it is.
local function begin(data, index)
  redis.call('UNLINK', index)
  redis.call('HSET', data, 't/made', string.format('%.0f', now()))
end
