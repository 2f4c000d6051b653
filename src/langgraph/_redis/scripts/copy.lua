-- Copies a thread over another, with its time to live; what the target held before is gone.
-- KEYS source data, source index, target data, target index, the shard of the source's links
-- ARGV lower and upper bound of the source's links there, then the links that the target was given
-- Reply {1, the run ids that the target held before}; {0, all links that the target must be given}, and nothing
--      done, if it lacks some; nil if there is no source
--!include records
--!include life
--!include rebuild
--!include runs
if not present(KEYS[1], KEYS[2]) then return nil end
local given, links, lacks, seen = {}, {0}, false, {}
for i = 3, #ARGV do given[ARGV[i]] = true end
local function link(name)
  if seen[name] then return end
  seen[name] = true
  links[#links + 1] = name
  lacks = lacks or not given[name]
end
for _, member in ipairs(redis.call('ZRANGEBYLEX', KEYS[5], ARGV[1], ARGV[2])) do
  link(string.sub(member, #ARGV[1])) -- A link stands after what the bound, "[<thread>\0", begins with.
end
for _, run in ipairs(runs_of(KEYS[2])) do link('r/' .. run) end
if lacks then return links end

local before = runs_of(KEYS[4])
redis.call('UNLINK', KEYS[3], KEYS[4])
redis.call('COPY', KEYS[1], KEYS[3])
redis.call('COPY', KEYS[2], KEYS[4])
redis.call('HDEL', KEYS[3], 't/sweep', 't/swept')
redis.call('HSET', KEYS[3], 't/made', string.format('%.0f', now()))
table.insert(before, 1, 1)
return before
