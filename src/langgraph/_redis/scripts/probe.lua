-- Uses every command that is needed, and leaves nothing behind.
-- KEYS scratch, scratch copy
-- Reply 1, or the server's error.
local a, b = KEYS[1], KEYS[2]
redis.call('UNLINK', a, b)
redis.call('EXISTS', a)
redis.call('HSET', a, 'x', '1')
redis.call('HSETNX', a, 'y', '1')
redis.call('HGET', a, 'x')
redis.call('HMGET', a, 'x')
redis.call('HEXISTS', a, 'x')
redis.call('HDEL', a, 'x')
redis.call('COPY', a, b)
redis.call('UNLINK', a, b)
redis.call('ZADD', a, 0, 'x')
redis.call('ZSCORE', a, 'x')
redis.call('ZRANGEBYLEX', a, '-', '+', 'LIMIT', 0, 1)
redis.call('ZREVRANGEBYLEX', a, '+', '-', 'LIMIT', 0, 1)
redis.call('ZREVRANGEBYSCORE', a, '+inf', '-inf', 'LIMIT', 0, 1)
redis.call('ZREM', a, 'x')
redis.call('SADD', b, 'x')
redis.call('SMEMBERS', b)
redis.call('SREM', b, 'x')
return 1
