-- What the store asks of one shard: operations, one after the other, of which nothing comes between.
-- KEYS clock
-- ARGV for each operation its letter, and what it takes as its function says
-- Reply: one entry for each operation
local clock, words = KEYS[1], ARGV
local stem = string.sub(clock, 1, -2)
--!include store_quick
--!include store_shard
--!include store_vectors
--!include store_items
--!include store_pages
--!include store_names
local operations = {
  g = get, p = put, d = delete, t = touch, s = page, c = candidates, n = names, e = sweep, v = vectors,
  i = unembedded, r = replace
}
sweep_some()
local reply = {}
while at < #words do
  reply[#reply + 1] = operations[take()]()
end
finish()
return reply
