-- What goes: fields of the hash, members of the index.

local function going() return {fields = {}, members = {}, runs = {}} end

local function drop(data, index, gone)
  for first = 1, #gone.fields, CHUNK do
    redis.call('HDEL', data, unpack(gone.fields, first, math.min(first + CHUNK - 1, #gone.fields)))
  end
  for first = 1, #gone.members, CHUNK do
    redis.call('ZREM', index, unpack(gone.members, first, math.min(first + CHUNK - 1, #gone.members)))
  end
end

-- A record with its writes.
local function add_record(gone, data, ns, id)
  local fields, name = gone.fields, ns .. '/' .. id
  local list = redis.call('HGET', data, 'l/' .. name)
  local tasks, chunks = tasks_in(data, ns, id, list)
  for _, task in ipairs(tasks) do
    fields[#fields + 1] = 'w/' .. ns .. '/' .. task .. '/' .. id
  end
  for chunk = 0, chunks - 1 do
    fields[#fields + 1] = 'm/' .. ns .. '/' .. chunk .. '/' .. id
  end
  fields[#fields + 1] = 'l/' .. name
  fields[#fields + 1] = 'c/' .. name
  gone.members[#gone.members + 1] = 'c/' .. name
  if ns ~= '' then gone.members[#gone.members + 1] = 'i/' .. id .. '\0' .. ns end
end

