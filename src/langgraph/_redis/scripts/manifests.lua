-- The names of the segments of some values, joined; '' for a value that is whole or gone.
-- KEYS data
-- ARGV value fields
--!include records
local values = hmget(KEYS[1], ARGV)
for i, value in ipairs(values) do
  values[i] = value and string.match(value, '^M([^\n]*)\n') or ''
end
return values
