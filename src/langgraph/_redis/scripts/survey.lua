-- One page of the lines of all records; for a sweep, the first page marks the thread as being swept.
-- KEYS data, index
-- ARGV token, or '' if this is for no sweep; member to go on after ('' for the first page), most records
-- Reply {member to go on after, or '', {{namespace, id, parent, refs, run, delta}, ...}};
--       nil if there is no thread; 0 if another sweep began; the field of a record that cannot be read, and the sweep ends
--!include records
--!include life
--!include rebuild
local data, index, token, cursor, most = KEYS[1], KEYS[2], ARGV[1], ARGV[2], tonumber(ARGV[3])
if not present(data, index) then return nil end
if token ~= '' and cursor == '' then
  redis.call('HSET', data, 't/sweep', token)
elseif string.sub(redis.call('HGET', data, 't/sweep') or '', 1, #token) ~= token then
  return 0
end
if token ~= '' then redis.call('HSET', data, 't/swept', string.format('%.0f', now())) end

local members = redis.call('ZRANGEBYLEX', index, cursor == '' and '[c/' or '(' .. cursor, '(c0', 'LIMIT', 0, most)
local found = {}
local records = hmget(data, members)
for i, member in ipairs(members) do
  local ns, id = string.match(member, '^c/([^/]*)/(.*)$')
  if records[i] then
    local parent, refs, run, delta = lines(records[i])
    if not parent then
      if token ~= '' then redis.call('HDEL', data, 't/sweep', 't/swept') end
      return member
    end
    found[#found + 1] = {ns, id, parent, refs, run, delta}
  end
end
return {#members == most and members[most] or '', found}
