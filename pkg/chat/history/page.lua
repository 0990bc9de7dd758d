-- Reads a page of the stream KEYS[1]: what ARGV[1], XRANGE or XREVRANGE, finds from ARGV[2] to ARGV[3], at most ARGV[4] entries. It ends with
-- the entry that makes it more than ARGV[5] bytes, not before the third, the first ARGV[6] not counted: however large its messages are, a
-- page costs a few of them. Returns the entries, and 1 if it ended so: there may be more.
local list, bytes, from, step = {}, 0, ARGV[2], 0
local count, most, free = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
repeat
  step = #list == 0 and free + 3 or 16
  local some = redis.call(ARGV[1], KEYS[1], from, ARGV[3], 'COUNT', step)
  for _, entry in ipairs(some) do
    list[#list + 1] = entry
    if #list > free then
      for _, field in ipairs(entry[2]) do bytes = bytes + #field end
    end
    if #list >= count then return {list, 0} end
    if bytes > most and #list > free + 2 then return {list, 1} end
  end
  if #some > 0 then from = '(' .. some[#some][1] end
until #some < step
return {list, 0}
