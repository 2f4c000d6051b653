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
local reply = {}
-- What was put before something failed is in the indexes all the same: an item is there whole, or not at all.
local done, problem = pcall(function()
  sweep_some()
  while at < #words do
    reply[#reply + 1] = operations[take()]()
  end
end)
finish()
if not done then return type(problem) == 'table' and problem or redis.error_reply(problem) end
return reply
