-- Items below a prefix, the last updated first, a page at a time; and items by their names.
local EXAMINED, SENT, READ, RISEN = 1000, 1000000, 4000000, 200

local function needles()
  local found = {}
  for number = 1, tonumber(take()) do found[number] = take() end
  return found
end

-- Whether a record may be what is looked for. Only JSON is looked into: other values are for the client.
local function promising(record, wanted)
  if #wanted == 0 then return true end
  local value = string.find(record, '\n', 1, true) + 1
  if string.byte(record, value) ~= 123 then return true end
  for _, text in ipairs(wanted) do
    if not string.find(record, text, value, true) then return false end
  end
  return true
end

-- The records of items, asked of each namespace at once.
local function records(items)
  local wanted, places = {}, {}
  for number, item in ipairs(items) do
    local data = stem .. 'd:' .. item[1]
    wanted[data], places[data] = wanted[data] or {}, places[data] or {}
    table.insert(wanted[data], item[2])
    table.insert(places[data], number)
  end
  local found = {}
  for data, keys in pairs(wanted) do
    local answers = redis.call('HMGET', data, unpack(keys))
    for number, place in ipairs(places[data]) do found[place] = answers[number] end
  end
  return found
end

-- The last instant that was given to a write.
local function latest() return redis.call('HGET', clock, 't') or '0' end

-- What was updated since an instant, the first first: a search that goes on would miss what went up meanwhile. All of
-- it, also what does not match any more. Tells whether that was all, and the instant of the last.
local function risen(prefix, since, reply)
  local set, size = stem .. 'o:' .. prefix, 0
  local chunk = redis.call('ZRANGEBYSCORE', set, '(' .. since, '+inf', 'WITHSCORES', 'LIMIT', 0, RISEN)
  for number = 1, #chunk, 2 do
    local ns, key = parted_below(prefix, chunk[number])
    local record = living(ns, key, redis.call('HGET', stem .. 'd:' .. ns, key))
    if record then
      reply[#reply + 1], reply[#reply + 2], size = ns .. '\0\0' .. key, record, size + #record
      if size > SENT then return false, chunk[number + 1] end
    end
  end
  return #chunk < 2 * RISEN, chunk[#chunk]
end

-- Takes prefix, the instant below which to go on ('+inf' to begin), that of the page before ('' not to look for what was
--      updated since), how many to skip, how many to find, '1' if to read them prolongs their life, how many texts one
--      of which a match must not lack, and these
-- Reply: where to go on below, '' at the end; the instant of this page; how many are still to be skipped; then member
--      and record of each
local function page()
  local prefix, below, since, skip, count = take(), take(), take(), tonumber(take()), tonumber(take())
  local refresh, wanted = take(), needles()
  local set, reply, examined, size, seen, step = stem .. 'o:' .. prefix, {'', '', 0}, 0, 0, 0, 32
  local plain = not late and #wanted == 0
  if since ~= '' then
    local all, instant = risen(prefix, since, reply)
    if not all then
      reply[1], reply[2], reply[3] = below, instant, skip
      return reply
    end
  end
  local ahead = #reply
  while true do
    if plain then step = math.min(step, count - (#reply - ahead) / 2) end
    local chunk = redis.call('ZREVRANGEBYSCORE', set, below, '-inf', 'WITHSCORES', 'LIMIT', plain and skip or 0, step)
    if plain then skip = 0 end
    local items = {}
    for number = 1, #chunk, 2 do
      local ns, key = parted_below(prefix, chunk[number])
      items[#items + 1] = {ns, key, chunk[number + 1]}
    end
    local found = records(items)
    for number, item in ipairs(items) do
      below, examined = '(' .. item[3], examined + 1
      local record, life = found[number], nil
      seen = seen + #(record or '')
      record = record and promising(record, wanted) and record
      if record then record, life = living(item[1], item[2], record) end
      if record then
        if skip > 0 then
          skip = skip - 1
        else
          if refresh == '1' then prolong(item[1], item[2], life) end
          reply[#reply + 1], reply[#reply + 2], size = item[1] .. '\0\0' .. item[2], record, size + #record
          if #reply >= 2 * count + ahead or size > SENT then
            reply[1], reply[2], reply[3] = below, latest(), skip
            return reply
          end
        end
      end
    end
    if #items < step then return reply end
    if examined >= EXAMINED or seen > READ then
      reply[1], reply[2], reply[3] = below, latest(), skip
      return reply
    end
    -- The next step reads some 300 KB.
    step = math.max(8, math.min(200, math.floor(300000 * examined / (seen + 1))))
  end
end

-- Takes how many texts as above, and these; how many items, and namespace and key of each
-- Reply: the record of each, or '' where there is none that can match
local function candidates()
  local wanted, items = needles(), {}
  for number = 1, tonumber(take()) do items[number] = {take(), take()} end
  local found = records(items)
  for number, item in ipairs(items) do
    local record = living(item[1], item[2], found[number])
    found[number] = record and promising(record, wanted) and record or ''
  end
  return found
end
