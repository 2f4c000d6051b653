-- A write field holds entries: "<idx>\t<task path>\t<channel>\t<length>\n" and that many bytes, which are
-- "<type>\n\4<segment names>\n" and more where an entry shares segments with its checkpoint.

-- Calls visit(idx, channel, entry) for each. False if the field holds something else: whoever reads it says so.
local function each_entry(blob, visit)
  local at = 1
  while at <= #blob do
    local stop = string.find(blob, '\n', at, true)
    if not stop then return false end
    local idx, channel, length = string.match(string.sub(blob, at, stop - 1), '^(-?%d+)\t[^\t]*\t([^\t]*)\t(%d+)$')
    if not idx then return false end
    local last = stop + tonumber(length)
    visit(tonumber(idx), channel, string.sub(blob, at, last))
    at = last + 1
  end
  return true
end
