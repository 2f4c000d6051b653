-- A shard's members, the arguments, and time: microseconds by the server's clock.
-- All keys of a shard have the name of its clock but for the last letter.
local at = 0
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

local function take()
  at = at + 1
  return words[at]
end

local function digits(number) return string.format('%.0f', number) end

-- A member is `<namespace>\0\0<key>`, of which the first double NUL counts.
local function parted(member)
  local gap = string.find(member, '\0\0', 1, true)
  return string.sub(member, 1, gap - 1), string.sub(member, gap + 2)
end

-- Likewise of a member that leaves a prefix away.
local function parted_below(prefix, member)
  if string.sub(member, 1, 2) == '\0\0' then return prefix, string.sub(member, 3) end
  return parted(prefix == '' and member or prefix .. '\0' .. member)
end

-- Calls `visit` with each prefix of a namespace, with the item's member there, and with what else it is to get.
local function above(ns, key, visit, more)
  local tail, from = '\0\0' .. key, 1
  visit('', ns .. tail, more)
  while ns ~= '' do
    local gap = string.find(ns, '\0', from, true)
    if not gap then return visit(ns, tail, more) end
    visit(string.sub(ns, 1, gap - 1), string.sub(ns, gap + 1) .. tail, more)
    from = gap + 1
  end
end
