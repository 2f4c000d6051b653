-- One get, or one put without vectors, of an item that never expires. To define all that follows takes longer than
-- this does, so it comes first; whatever is not as plain goes on below.
-- An instant for one write: no two of a shard are the same, and a later one is larger, whatever the clock does. As
-- text, of which the order is the numbers' while they have 16 digits: until the year 2286.
local call, first, given = redis.call, nil, nil

local function instant()
  if given then
    given = string.format('%.0f', tonumber(given) + 1)
    return given
  end
  local time = redis.call('TIME')
  first = string.format('%s%06d', time[1], time[2])
  given = first
  local last = redis.call('HGET', clock, 't')
  if last and last >= first then given = string.format('%.0f', tonumber(last) + 1) end
  redis.call('HSET', clock, 't', given)
  first = given
  return given
end

if #words == 4 and words[1] == 'g' then
  local record = call('HGET', stem .. 'd:' .. words[2], words[3])
  if not record or string.find(record, '^%d+ %d+ 0 ') then return {record} end
elseif #words == 8 and words[1] == 'p' and words[4] == '0' and words[6] == '0' then
  local ns, key = words[2], words[3]
  local data, tail, from = stem .. 'd:' .. ns, '\0\0' .. key, 1
  local record = call('HGET', data, key)
  local created = record and string.match(record, '^(%d+) %d+ 0 0\n')
  if created or not record then
    local updated, set = instant(), stem .. 'o:'
    call('HSET', data, key, (created or updated) .. ' ' .. updated .. ' 0 0\n' .. words[5])
    if not record then call('ZADD', stem .. 'n', 0, ns) end
    call('ZADD', set, updated, ns .. tail)
    while ns ~= '' do
      local gap = string.find(ns, '\0', from, true)
      if not gap then
        call('ZADD', set .. ns, updated, tail)
        break
      end
      call('ZADD', set .. string.sub(ns, 1, gap - 1), updated, string.sub(ns, gap + 1) .. tail)
      from = gap + 1
    end
    return {1}
  end
end
