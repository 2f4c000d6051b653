-- Uses every command that the other scripts use, on keys that do not exist: changes nothing.
-- KEYS scratch, scratch copy
-- Reply 1, or the server's error.
local a, b = KEYS[1], KEYS[2]
redis.call('EXISTS', a)
redis.call('HGET', a, 'x')
redis.call('HMGET', a, 'x')
redis.call('HEXISTS', a, 'x')
redis.call('HDEL', a, 'x')
redis.call('ZREM', a, 'x')
redis.call('ZSCORE', a, 'x')
redis.call('ZRANGEBYLEX', a, '-', '+', 'LIMIT', 0, 1)
redis.call('ZREVRANGEBYLEX', a, '+', '-', 'LIMIT', 0, 1)
redis.call('COPY', a, b)
redis.call('UNLINK', a, b)
return 1
