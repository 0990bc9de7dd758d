-- Makes ARGV[1] the recorder for ARGV[2] ms, if nobody else is. Returns 1 if it was the recorder before, 2 if it is now, 0 if another is.
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 1
end
if holder then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 2
