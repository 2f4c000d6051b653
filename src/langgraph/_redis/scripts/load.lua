-- Named checkpoints with their values and writes, up to one that is gone, which is left out.
-- KEYS data
-- ARGV most bytes, names of segments that the client holds, then namespace, id for each
-- Reply {count of those looked at: ask again for the rest, then as checkpoints.lua says}
--!include checkpoints
local reply = {0}
reply[1] = add_some(reply, KEYS[1], {unpack(ARGV, 3)}, tonumber(ARGV[1]), ARGV[2])
return reply
