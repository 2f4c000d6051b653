-- Tries every command that is needed, and leaves nothing behind.
-- KEYS scratch, scratch copy
-- Reply 1, or the server's first error.
local a, b = KEYS[1], KEYS[2]
local failed
local function try(...)
  local reply = redis.pcall(...)
  if type(reply) == 'table' and reply.err then failed = failed or reply end
end

try('UNLINK', a, b)
try('EXISTS', a)
try('TIME')
try('HSET', a, 'x', '1')
try('HSETNX', a, 'y', '1')
try('HGET', a, 'x')
try('HMGET', a, 'x')
try('HKEYS', a)
try('HSTRLEN', a, 'x')
try('HEXISTS', a, 'x')
try('HLEN', a)
try('PEXPIREAT', a, '9999999999999')
try('PTTL', a)
try('PERSIST', a)
try('HDEL', a, 'x')
try('COPY', a, b)
try('RENAME', b, a)
try('UNLINK', a, b)
try('ZADD', a, 0, 'x')
try('ZSCORE', a, 'x')
try('ZLEXCOUNT', a, '-', '+')
try('ZCARD', a)
try('ZRANGE', a, 0, -1)
try('ZRANGEBYLEX', a, '-', '+', 'LIMIT', 0, 1)
try('ZREVRANGEBYLEX', a, '+', '-', 'LIMIT', 0, 1)
try('ZRANGEBYSCORE', a, '-inf', '+inf', 'LIMIT', 0, 1)
try('ZREVRANGEBYSCORE', a, '+inf', '-inf', 'LIMIT', 0, 1)
try('ZRANDMEMBER', a, 1)
try('ZREMRANGEBYLEX', a, '-', '[a')
try('ZREM', a, 'x')
try('UNLINK', a, b)
return failed or 1
