-- What changes when a thread is written: the largest id of the root's checkpoints and of all others ('' where
-- there is none), and how many fields there are.
local function newest(data, index)
  local root = redis.call('ZREVRANGEBYLEX', index, '(c/0', '[c//', 'LIMIT', 0, 1)[1]
  local other = redis.call('ZREVRANGEBYLEX', index, '(i0', '[i/', 'LIMIT', 0, 1)[1]
  return root and string.sub(root, 4) or '', other and string.match(other, '^i/(.*)%z') or '',
    redis.call('HLEN', data)
end
