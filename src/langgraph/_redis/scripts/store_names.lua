-- Namespaces that hold an item, in their order, a page at a time.

-- Where those begin that do not share the first `depth` labels of a namespace, and these labels.
local function group(ns, depth)
  local from = 1
  for _ = 1, depth do
    local gap = string.find(ns, '\0', from, true)
    if not gap then
      if _ < depth then return '(' .. ns, ns end
      return '[' .. ns .. '\1', ns
    end
    from = gap + 1
  end
  local first = string.sub(ns, 1, from - 2)
  return '[' .. first .. '\1', first
end

-- So many are looked at in one run, at most.
local LISTED = 2000

-- Takes where to begin and to end, as ZRANGEBYLEX is told; how many to skip, and to find; after how many labels to cut
--      them ('0': not at all)
-- Reply: 1 if expired items are left that must be swept first, else 0; where to go on, '' at the end; how many are
--      still to be skipped; the namespaces
local function names()
  local from, to, skip, count, depth = take(), take(), tonumber(take()), tonumber(take()), tonumber(take())
  if late then return {1, '', skip} end
  local reply = {0, '', 0}
  if depth == 0 then
    count = math.min(count, LISTED)
    local found = redis.call('ZRANGEBYLEX', namespaces, from, to, 'LIMIT', skip, count)
    for number, ns in ipairs(found) do reply[number + 3] = ns end
    if #found == count and count > 0 then reply[2] = '(' .. found[count] end
    return reply
  end
  for _ = 1, math.min(skip + count, LISTED) do
    local ns = redis.call('ZRANGEBYLEX', namespaces, from, to, 'LIMIT', 0, 1)[1]
    if not ns then return reply end
    local following, first = group(ns, depth)
    from = following
    if skip > 0 then skip = skip - 1 else reply[#reply + 1] = first end
  end
  reply[2], reply[3] = from, skip
  return reply
end
