-- Claims KEYS[1] for ARGV[1] for ARGV[2] ms. Returns what stands there: an id, or who else has claimed it; "" if it is claimed now.
local before = redis.call('GET', KEYS[1])
if before and before ~= ARGV[1] then return before end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ''
