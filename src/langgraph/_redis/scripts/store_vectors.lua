-- Vectors of items: bytes of float32, one vector after the other. Kept beside the item for the client to rank ('x'), or
-- as documents for the server's search ('s'), one for each vector; in one of two places, '' or '2': while items are
-- embedded anew, the new vectors wait in the other one.
local SENT = 2000000

-- The prefixes of a namespace, as a document's tags: digests hold nothing that a query would have to escape.
local function tags(ns, key)
  local found = {}
  above(ns, key, function(prefix) found[#found + 1] = redis.sha1hex(prefix) end)
  return table.concat(found, ',')
end

local function document(place, ns, key) return stem .. 'f' .. place .. ':' .. redis.sha1hex(ns .. '\0\0' .. key) .. ':' end

-- Takes how many ('0': none, '-1': none, and none are wanted), their kind and place, their bytes. Returns how many
local function add_vectors(ns, key)
  local count, kind, bytes = take(), take(), take()
  if tonumber(count) < 1 then return count end
  local place = string.sub(kind, 2)
  if string.sub(kind, 1, 1) == 'x' then
    redis.call('HSET', stem .. 'v' .. place .. ':' .. ns, key, bytes)
    return count
  end
  local name, length = document(place, ns, key), #bytes / tonumber(count)
  for number = 0, tonumber(count) - 1 do
    local vector = string.sub(bytes, number * length + 1, (number + 1) * length)
    redis.call('HSET', name .. number, 'tags', tags(ns, key), 'member', ns .. '\0\0' .. key, 'vector', vector)
  end
  return count
end

local function drop_placed(place, ns, key, count)
  redis.call('HDEL', stem .. 'v' .. place .. ':' .. ns, key)
  local name = document(place, ns, key)
  for number = 0, count - 1 do redis.call('UNLINK', name .. number) end
end

local function drop_vectors(ns, key, count)
  if tonumber(count) < 1 then return end
  drop_placed('', ns, key, count)
  drop_placed('2', ns, key, count)
end

-- Calls `visit` with namespace, key and instant of items below a prefix, the first updated first, and sums up the bytes
-- that it returns until they are enough. Returns how many items there are, and 1 if there are more after these.
local function each_since(prefix, after, count, visit)
  local set, size = stem .. 'o:' .. prefix, 0
  local chunk = redis.call('ZRANGEBYSCORE', set, after, '+inf', 'WITHSCORES', 'LIMIT', 0, count)
  local more = #chunk == 2 * tonumber(count) and 1 or 0
  for number = 1, #chunk, 2 do
    local ns, key = parted_below(prefix, chunk[number])
    size = size + visit(ns, key, chunk[number + 1])
    if size > SENT and number + 1 < #chunk then
      more = 1
      break
    end
  end
  return redis.call('ZCARD', set), more
end

-- Takes prefix, the instant after which to go on ('-inf' to begin), how many items, the place of vectors
-- Reply: how many items there are below the prefix; 1 if there are more after these; of each, the first updated first,
--        namespace, key, instant, bytes ('' if it has no vectors)
local function vectors()
  local prefix, after, count, place = take(), take(), take(), take()
  local reply = {0, 0}
  reply[1], reply[2] = each_since(prefix, after, count, function(ns, key, updated)
    local bytes = redis.call('HGET', stem .. 'v' .. place .. ':' .. ns, key) or ''
    local last = #reply
    reply[last + 1], reply[last + 2], reply[last + 3], reply[last + 4] = ns, key, updated, bytes
    return #bytes + #ns + #key
  end)
  return reply
end

-- Takes the instant after which to go on, how many items, a place of vectors, '1' with records or '0' without
-- Reply: as above for all items, but in place of bytes '' if it has vectors in that place, else its record, or '-' without
local function unembedded()
  local after, count, place, whole = take(), take(), take(), take()
  local reply = {0, 0}
  reply[1], reply[2] = each_since('', after, count, function(ns, key, updated)
    local beside = redis.call('HEXISTS', stem .. 'v' .. place .. ':' .. ns, key) == 1
    local known = beside or redis.call('EXISTS', document(place, ns, key) .. '0') == 1
    local record = known and '' or whole == '1' and redis.call('HGET', stem .. 'd:' .. ns, key) or '-'
    local last = #reply
    reply[last + 1], reply[last + 2], reply[last + 3], reply[last + 4] = ns, key, updated, record
    return #record + #ns + #key
  end)
  return reply
end

-- Takes namespace, key, the instant of the item that they are of ('': whatever it is), vectors as `add_vectors` says, to
-- take those of their place. The item stays as it is. Reply: 0 if it is gone or was updated since
local function replace()
  local ns, key, expected = take(), take(), take()
  local data, place = stem .. 'd:' .. ns, string.sub(words[at + 2], 2)
  local record = redis.call('HGET', data, key)
  if record then
    local head, updated, life, count, tail = string.match(record, '^(%d+) (%d+) (%d+) (%-?%d+)()')
    if expected == '' or updated == expected then
      drop_placed(place, ns, key, tonumber(count))
      local added = tonumber(add_vectors(ns, key))
      if added > tonumber(count) and added > 0 then
        local header = head .. ' ' .. updated .. ' ' .. life .. ' ' .. added
        redis.call('HSET', data, key, header .. string.sub(record, tail))
      end
      return 1
    end
  end
  at = at + 3
  return 0
end
