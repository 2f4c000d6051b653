-- Deletes a thread, unless it was written or pinned since it was looked at.
-- KEYS data, index
-- ARGV largest id of the root, of all others, how many fields, as `about` answered
-- Reply 1 if it was deleted, else 0
--!include newest
local root, other, fields = newest(KEYS[1], KEYS[2])
if root ~= ARGV[1] or other ~= ARGV[2] or fields ~= tonumber(ARGV[3]) then return 0 end
if redis.call('HGET', KEYS[1], 't/ttl') == '0' then return 0 end
return redis.call('UNLINK', KEYS[1], KEYS[2]) > 0 and 1 or 0
