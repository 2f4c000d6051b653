-- Keeping a namespace's newest checkpoints only, as part of a put.
--!include dropping

local AT_ONCE = 64 -- checkpoints that one put drops at most
local BELOW = 500 -- checkpoints of calls that one put drops at most
local READ = 700 -- records that one put reads at most
local MANIFEST = 40960 -- bytes that no manifest reaches (`Draft` sees to that)
local COMPARED = 4194304 -- bytes of values, and of writes, that it reads at most
local LOOKS = 12000 -- segments of values that it looks at at most; a value is as dear as twenty

local function between(stem) return '[' .. stem .. '/', '(' .. stem .. '0' end

-- The bounds of a namespace's checkpoints, and of those of the namespaces below it.
local function ranges(ns) return {{between('c/' .. ns)}, {'[c/' .. ns .. '|', '(c/' .. ns .. '}'}} end

-- All of a namespace and of those below it, as far as no more bytes of values are read than one put may.
local function add_namespace(gone, data, index, ns)
  local seen, segments = {}, {}
  gone.calls[#gone.calls + 1] = ns
  for _, range in ipairs(ranges(ns)) do
    local members = redis.call('ZRANGEBYLEX', index, range[1], range[2])
    for i, record in ipairs(hmget(data, members)) do
      local below, id = string.match(members[i], '^c/([^/]*)/(.*)$')
      local _, refs, run = lines(record or '')
      gone.runs[run or ''] = true
      for _, field in ipairs(value_fields(below, refs, seen)) do
        gone.fields[#gone.fields + 1] = field
        if redis.call('HSTRLEN', data, field) < MANIFEST then
          local value = redis.call('HGET', data, field) or ' '
          gone.bytes = gone.bytes + #value
          if gone.bytes > COMPARED then return end
          segment_fields(value, segments, seen, '')
        end
      end
      add_record(gone, data, below, id)
      gone.fields[#gone.fields + 1] = 't/kept/' .. below
      gone.fields[#gone.fields + 1] = 'u/' .. below
    end
  end
  for _, segment in ipairs(segments) do gone.fields[#gone.fields + 1] = segment end
end

-- The members that say which namespaces of calls were made from a checkpoint.
local function calls_of(index, ns, id)
  local stem = 'u/' .. ns .. '/' .. id
  return redis.call('ZRANGEBYLEX', index, '[' .. stem .. '\0', '(' .. stem .. '\1'), #stem + 2
end

local function add_calls(gone, data, index, ns, id)
  local members, start = calls_of(index, ns, id)
  for _, member in ipairs(members) do
    add_namespace(gone, data, index, string.sub(member, start))
    if gone.bytes > COMPARED then return end
    gone.members[#gone.members + 1] = member
    gone.fields[#gone.fields + 1] = 'u/' .. string.sub(member, start)
  end
end

-- What says of calls within those that go which namespaces they made.
local function end_calls(index, calls)
  for _, ns in ipairs(calls) do
    redis.call('ZREMRANGEBYLEX', index, '[u/' .. ns .. '/', '(u/' .. ns .. '0')
    redis.call('ZREMRANGEBYLEX', index, '[u/' .. ns .. '|', '(u/' .. ns .. '}')
  end
end

-- How many checkpoints there are in namespaces of calls that were made from some checkpoints.
local function below(index, ns, dropped)
  local count = 0
  for _, member in ipairs(dropped) do
    local members, start = calls_of(index, ns, string.sub(member, #ns + 4))
    for _, call in ipairs(members) do
      for _, range in ipairs(ranges(string.sub(call, start))) do
        count = count + redis.call('ZLEXCOUNT', index, range[1], range[2])
      end
    end
  end
  return count
end

local function holds(refs, channel)
  local list = '\t' .. refs .. '\t'
  return string.find(list, '\t' .. channel .. '\t', 1, true) or string.find(list, '\t' .. channel .. '/', 1, true)
end

-- Ancestors of what stays, back to the nearest that holds a value of a DeltaChannel, stay as well.
local function keep_ancestors(ns, stays, records, chains)
  local walked = {}
  for member in pairs(chains) do
    local parent, _, _, delta = lines(records[member])
    for channel in string.gmatch(delta, '[^\t]+') do
      walked[channel] = walked[channel] or {}
      local above = 'c/' .. ns .. '/' .. parent
      while records[above] and not walked[channel][above] do
        walked[channel][above], stays[above] = true, true
        local further, refs = lines(records[above])
        if holds(refs, channel) then break end
        above = 'c/' .. ns .. '/' .. further
      end
    end
  end
end

-- How many names two manifests have in common at their beginnings, or at their ends; both end where the names do.
local function shared(one, other, most, at_ends)
  local low, high = 0, most
  while low < high do
    local middle = math.ceil((low + high) / 2)
    local first, last = 10 * low + 2, 10 * middle + 1
    if at_ends then first, last = -10 * middle, -10 * low - 1 end
    if string.sub(one, first, last) == string.sub(other, first, last) then low = middle else high = middle - 1 end
  end
  return low
end

-- Calls visit(name) for the segments of some values, until it says that this is enough. What a value shares with the
-- one before it of its channel is visited once: most of it. False if there is more than may be looked at here.
local function each_segment(data, values, visit)
  local before, bytes, looks = {}, 0, 0
  for _, field in ipairs(values) do
    local length = redis.call('HSTRLEN', data, field)
    local value = length < MANIFEST and redis.call('HGET', data, field) or ' '
    local stop = string.byte(value) == 77 and string.find(value, '\n', 1, true)
    if stop then
      local channel, names = string.match(field, '^.*/'), string.sub(value, 1, stop - 1)
      local known = before[channel] or 'M'
      local most = (math.min(#known, #names) - 1) / 10
      local same = shared(known, names, most, false)
      local ends = #names - 10 * shared(known, names, most - same, true)
      for first = 2 + 10 * same, ends, 10 do
        if visit(string.sub(names, first, first + 9)) then return true end
        looks = looks + 1
      end
      before[channel] = names
    end
    bytes, looks = bytes + #value, looks + 20
    if bytes > COMPARED or looks > LOOKS then return false end
  end
  return true
end

-- Calls spare(name) for the segments that writes of checkpoints name, until it says that this is enough. False if
-- these are more bytes than may be read here.
local function each_written(data, stays, spare)
  local bytes = 0
  for _, each in ipairs(stays) do
    local ns, id, fields, named = each[1], each[2], {}, {}
    for i, task in ipairs(tasks_in(data, ns, id, redis.call('HGET', data, 'l/' .. ns .. '/' .. id))) do
      fields[i] = 'w/' .. ns .. '/' .. task .. '/' .. id
    end
    for _, field in ipairs(fields) do
      bytes = bytes + redis.call('HSTRLEN', data, field)
      if bytes > COMPARED then return false end
      entry_segments(redis.call('HGET', data, field) or '', {}, named, '')
    end
    for name in pairs(named) do
      if spare(name) then return true end
    end
  end
  return true
end

-- Adds values that go, and their segments but for those that a value or a write that stays names. False if there is
-- more to look at than one put may.
local function add_values(gone, data, values, needed, writes)
  local unnamed, left = {}, 0
  local function find(name)
    if not unnamed[name] then unnamed[name], left = true, left + 1 end
  end
  local function spare(name)
    if unnamed[name] then unnamed[name], left = nil, left - 1 end
    return left == 0
  end
  local looked = each_segment(data, values, find)
  looked = looked and (left == 0 or each_segment(data, needed, spare))
  if not looked or left > 0 and not each_written(data, writes, spare) then return false end
  for _, field in ipairs(values) do gone.fields[#gone.fields + 1] = field end
  for name in pairs(unnamed) do gone.fields[#gone.fields + 1] = 's/' .. name end
  return true
end

-- Takes away the runs of what was dropped that made nothing else, and returns them; false if a sweep is to look.
local function end_runs(data, index, runs)
  runs[''] = nil
  if not next(runs) then return {} end
  local count = redis.call('ZLEXCOUNT', index, '[c/', '(c0')
  -- Too many to look at. Each run that goes on made one of them at least: when there are far more runs, a sweep looks.
  if count > READ then return redis.call('ZLEXCOUNT', index, '[r/', '(r0') <= 2 * count and {} end
  for _, record in ipairs(hmget(data, redis.call('ZRANGEBYLEX', index, '[c/', '(c0'))) do
    local _, _, run = lines(record or '')
    runs[run or ''] = nil
  end
  local ended = {}
  for run in pairs(runs) do
    ended[#ended + 1] = run
    redis.call('ZREM', index, 'r/' .. run)
  end
  return ended
end

-- Of `count` checkpoints: the runs that ended with what was dropped; false if there is more to drop than one put may.
local function bound(data, index, ns, id, keep, count)
  local lower, upper = between('c/' .. ns)
  local spare = 't/kept/' .. ns
  -- More than wanted had to stay, when this was last done: look again when there are more than these.
  local most = math.max(keep, tonumber(redis.call('HGET', data, spare) or 0))
  if count <= most + math.floor(most / 20) then return {} end
  if count > READ or count > most + math.floor(most / 20) + AT_ONCE then return false end

  local members, records, chains, stays = redis.call('ZRANGEBYLEX', index, lower, upper), {}, {}, {}
  for i, record in ipairs(hmget(data, members)) do
    -- What cannot be read may need anything.
    if not record or not lines(record) then return {} end
    records[members[i]] = record
    if i > count - keep then chains[members[i]] = true end
  end
  chains['c/' .. ns .. '/' .. id] = true
  for member in pairs(chains) do stays[member] = true end
  keep_ancestors(ns, stays, records, chains)

  local gone, needed, named, dropped, writes = going(), {}, {}, {}, {}
  gone.calls, gone.bytes = {}, 0
  for _, member in ipairs(members) do
    if stays[member] then
      local _, refs = lines(records[member])
      for _, field in ipairs(value_fields(ns, refs, named)) do needed[#needed + 1] = field end
      writes[#writes + 1] = {ns, string.sub(member, #ns + 4)}
    else
      dropped[#dropped + 1] = member
    end
  end
  if below(index, ns, dropped) > BELOW then return false end
  local values = {}
  for _, member in ipairs(dropped) do
    local _, refs, run = lines(records[member])
    gone.runs[run] = true
    for _, field in ipairs(value_fields(ns, refs, named)) do values[#values + 1] = field end
  end
  if not add_values(gone, data, values, needed, writes) then return false end
  for _, member in ipairs(dropped) do
    local old = string.sub(member, #ns + 4)
    add_calls(gone, data, index, ns, old)
    if gone.bytes > COMPARED then return false end
    add_record(gone, data, ns, old)
  end
  drop(data, index, gone)
  end_calls(index, gone.calls)
  local left = count - #dropped
  if left > keep then
    redis.call('HSET', data, spare, left)
  elseif most > keep then
    redis.call('HDEL', data, spare)
  end
  return end_runs(data, index, gone.runs)
end
