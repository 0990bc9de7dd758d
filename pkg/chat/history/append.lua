-- Appends a batch of messages, once. ARGV: prefix of all keys, writer, number of the batch, messages of a room, bytes, age in ms, token of
-- the recorder or "", number of messages; then for each: room, key of the sender's id or "", size, number of fields, fields. Of a message
-- without fields only the key is remembered.
-- Returns the ids, "-" of what is not kept; the same ones if the batch was appended before; nothing if somebody else is the recorder.
local prefix, me, batch = ARGV[1], ARGV[2], ARGV[3]
local count, bytes, age, token = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local writer, sizes, rooms = prefix .. 'writer:' .. me, prefix .. 'sizes', prefix .. 'rooms'

if token ~= '' and redis.call('GET', prefix .. 'recorder') ~= token then return {} end
local before = redis.call('GET', writer)
if before then
  local ids = {}
  for word in string.gmatch(before, '%S+') do ids[#ids + 1] = word end
  if table.remove(ids, 1) == batch then return ids end
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function oldest(stream)
  local list = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)
  return list[1]
end

local function resize(room, by)
  if room == '' then return redis.call('HINCRBY', sizes, 'lobby', by) end
  redis.call('HINCRBY', sizes, 'room:' .. room, by)
  return redis.call('HINCRBY', sizes, 'rooms', by)
end

local function streamOf(room)
  if room == '' then return prefix .. 'lobby' end
  return prefix .. 'room:' .. room
end

local function drop(room, entry)
  redis.call('XDEL', streamOf(room), entry[1])
  return resize(room, '-' .. entry[2][2])
end

-- remove lets a room go.
local function remove(room)
  local size = tonumber(redis.call('HGET', sizes, 'room:' .. room) or 0)
  redis.call('DEL', streamOf(room))
  redis.call('HDEL', sizes, 'room:' .. room)
  redis.call('ZREM', rooms, room)
  return redis.call('HINCRBY', sizes, 'rooms', string.format('%d', 0 - size))
end

-- trim keeps the bounds. total is what resize said, length how many messages the room has.
local function trim(room, total, length)
  local stream = streamOf(room)
  local entry = oldest(stream)
  while length > 1 and (length > count or (room == '' and total > bytes) or tonumber(string.match(entry[1], '^%d+')) < now - age) do
    total = drop(room, entry)
    length = length - 1
    entry = oldest(stream)
  end
  if room == '' then return end
  while total > bytes do
    local last = redis.call('ZRANGE', rooms, 0, 0)[1]
    if last and last ~= room then
      total = remove(last)
    elseif length > 1 then
      total = drop(room, oldest(stream))
      length = length - 1
    else
      return
    end
  end
end

local ids, at = {}, 9
for n = 1, tonumber(ARGV[8]) do
  local room, once, size, fields = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  local known = once ~= '' and redis.call('GET', prefix .. 'once:' .. once)
  if known and string.find(known, '^%d+%-%d+$') then
    ids[n] = known
  elseif fields == 0 then
    ids[n] = '-'
    redis.call('SET', prefix .. 'once:' .. once, '-', 'PX', 600000)
  else
    local stream = streamOf(room)
    ids[n] = redis.call('XADD', stream, '*', 's', size, unpack(ARGV, at + 4, at + 3 + fields))
    local length = redis.call('XLEN', stream)
    if length == 1 then -- what was here has expired
      local field = room == '' and 'lobby' or 'room:' .. room
      local stale = tonumber(redis.call('HGET', sizes, field) or 0)
      if stale > 0 then resize(room, -stale) end
    end
    local total = resize(room, size)
    if room ~= '' then redis.call('ZADD', rooms, now, room) end
    trim(room, total, length)
    redis.call('PEXPIRE', stream, age)
    if once ~= '' then redis.call('SET', prefix .. 'once:' .. once, ids[n], 'PX', 600000) end
  end
  at = at + 4 + fields
end
for _, room in ipairs(redis.call('ZRANGEBYSCORE', rooms, '-inf', now - age, 'LIMIT', 0, 10)) do remove(room) end
redis.call('SET', writer, batch .. ' ' .. table.concat(ids, ' '), 'PX', 600000)
return ids
