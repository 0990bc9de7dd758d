-- Appends a batch of messages, once. ARGV: prefix of all keys, writer, number of the batch, messages of a room, bytes, age in ms, token of
-- the recorder or "", number of messages; then for each: room, key of the sender's id or "", size, number of fields, fields. Of a message
-- without fields only the key is remembered.
-- Returns the ids, "-" of what is not kept; the same ones if the batch was appended before; nothing if a later batch was, or if somebody else
-- is the recorder. One element more says what is wrong with the keys, if anything is: an error in the middle of a batch would have its first
-- half appended again and again.
local prefix, me, batch = ARGV[1], ARGV[2], ARGV[3]
local count, bytes, age, token = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local writer, sizes, rooms = prefix .. 'writer:' .. me, prefix .. 'sizes', prefix .. 'rooms'

local problem
-- try returns what a command does, nil if it fails.
local function try(...)
  local answer = redis.pcall(...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  problem = problem or answer.err .. ' (' .. select(2, ...) .. ')'
end

-- attempt calls a function that may fail in the middle.
local function attempt(f, ...)
  local done, err = pcall(f, ...)
  if not done then problem = problem or (type(err) == 'table' and err.err or tostring(err)) .. ' (' .. select(1, ...) .. ')' end
end

if token ~= '' and try('GET', prefix .. 'recorder') ~= token then return {} end
local before = redis.call('GET', writer)
if before then
  local ids = {}
  for word in string.gmatch(before, '%S+') do ids[#ids + 1] = word end
  local last = table.remove(ids, 1)
  if last == batch then return ids end
  -- It was on its way for long, over a connection that was given up, and a later attempt was faster.
  if (tonumber(last) or 0) > tonumber(batch) then return {} end
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function oldest(stream)
  local list = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)
  return list[1]
end

-- set makes a size that was wrong right.
local function set(field, size)
  try('HDEL', sizes, field)
  return try('HINCRBY', sizes, field, size) or 0
end

-- grow changes a size. One that is no number begins anew.
local function grow(field, by)
  local answer = redis.pcall('HINCRBY', sizes, field, by)
  if type(answer) == 'number' then return answer end
  return set(field, math.max(tonumber(by), 0))
end

local function resize(room, by)
  if room == '' then return grow('lobby', by) end
  grow('room:' .. room, by)
  return grow('rooms', by)
end

local function streamOf(room)
  if room == '' then return prefix .. 'lobby' end
  return prefix .. 'room:' .. room
end

local function drop(room, entry)
  redis.call('XDEL', streamOf(room), entry[1])
  return resize(room, -(entry[2][1] == 's' and tonumber(entry[2][2]) or 0)) -- somebody else's has none
end

-- remove lets a room go.
local function remove(room)
  local size = tonumber(redis.call('HGET', sizes, 'room:' .. room) or 0) or 0
  redis.call('DEL', streamOf(room))
  redis.call('HDEL', sizes, 'room:' .. room)
  redis.call('ZREM', rooms, room)
  return grow('rooms', string.format('%d', 0 - size))
end

-- trim keeps the bounds. size is that of the newest message, total what resize said, length how many messages the room has. If only that one
-- is left and it is too much still, the total was wrong.
local function trim(stream, room, size, total, length)
  local entry = oldest(stream)
  while length > 1 and (length > count or (room == '' and total > bytes) or tonumber(string.match(entry[1], '^%d+')) < now - age) do
    total = drop(room, entry)
    length = length - 1
    entry = oldest(stream)
  end
  if room == '' then
    if length == 1 and total > bytes then set('lobby', size) end
    return
  end
  while total > bytes do
    local last = redis.call('ZRANGE', rooms, 0, 1) -- this one may be the first, of several of this millisecond
    local other = last[1] == room and last[2] or last[1]
    if other and other ~= room then
      total = remove(other)
    elseif length > 1 then
      total = drop(room, oldest(stream))
      length = length - 1
    else
      set('rooms', size)
      set('room:' .. room, size)
      return
    end
  end
end

local ids, at = {}, 9
for n = 1, tonumber(ARGV[8]) do
  local room, once, size, fields = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  local known = once ~= '' and try('GET', prefix .. 'once:' .. once)
  if known and string.find(known, '^%d+%-%d+$') then
    ids[n] = known
  elseif fields == 0 then
    ids[n] = '-'
    redis.call('SET', prefix .. 'once:' .. once, '-', 'PX', 600000)
  else
    local stream = streamOf(room)
    local id = redis.pcall('XADD', stream, '*', 's', size, unpack(ARGV, at + 4, at + 3 + fields))
    if type(id) == 'table' then
      -- Nothing is done yet, and it may go better the next time (OOM, READONLY …), but not with a key that is another's.
      if n == 1 and not string.find(id.err, '^%-?WRONGTYPE ') and not string.find(id.err, '^%-?ERR ') then return id end
      problem = problem or id.err .. ' (' .. stream .. ')'
      ids[n] = '-'
    else
      ids[n] = id
      local length = redis.call('XLEN', stream)
      if length == 1 then -- what was here has expired
        local stale = tonumber(try('HGET', sizes, room == '' and 'lobby' or 'room:' .. room) or 0) or 0
        if stale > 0 then resize(room, -stale) end
      end
      local total = resize(room, size)
      if room ~= '' then try('ZADD', rooms, now, room) end
      attempt(trim, stream, room, size, total, length)
      try('PEXPIRE', stream, age)
    end
    if once ~= '' then redis.call('SET', prefix .. 'once:' .. once, ids[n], 'PX', 600000) end
  end
  at = at + 4 + fields
end
for _, room in ipairs(try('ZRANGEBYSCORE', rooms, '-inf', now - age, 'LIMIT', 0, 10) or {}) do attempt(remove, room) end
redis.call('SET', writer, batch .. ' ' .. table.concat(ids, ' '), 'PX', 600000)
if problem then ids[#ids + 1] = problem end
return ids
