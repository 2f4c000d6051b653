-- The names of the segments of some values, joined; '' for a value that is whole or gone.
-- KEYS data
-- ARGV most bytes to read, value fields
-- Reply names for each of those that were looked at: ask again for the rest
local names, size = {}, 0
for at = 2, #ARGV do
  local value = redis.call('HGET', KEYS[1], ARGV[at]) or ''
  names[at - 1] = string.byte(value) == 77 and string.match(value, '^M([^\n]*)\n') or ''
  size = size + #value
  if size >= tonumber(ARGV[1]) then break end
end
return names
