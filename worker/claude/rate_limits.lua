-- Three token buckets of one tier, taken from together or not at all. What each step means, and the
-- arithmetic in readable form, is in worker/domain/buckets.py: a property test holds this to it.
--
-- KEYS[1]  the tier's hash
-- ARGV     operation, now in microseconds ('' asks Redis), the limits a minute of requests, input
--          and output tokens ('' is none), burst_s, ramp_from, ramp_s, idle_s, then the operation's
-- Returns  calls granted, seconds until the next fits, why not more (1 to 3 a bucket, 4 held)

local SECOND, TINY, LOWERED_S, HELD = 1000000, 1e-6, 120, 4
local SLOT_S, SLOTS = 10, 7        -- what was used, for screens: six whole slots and the current one
local FORGET_S = 7300              -- longer than the longest hold; an unknown tier starts gently

local key, op, now = KEYS[1], ARGV[1], tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * SECOND + tonumber(time[2])
end
local configured = { tonumber(ARGV[3]) or 0, tonumber(ARGV[4]) or 0, tonumber(ARGV[5]) or 0 }
local burst_s, ramp_from = tonumber(ARGV[6]), tonumber(ARGV[7])
local idle_s = tonumber(ARGV[9])

local slot = math.floor(now / (SLOT_S * SECOND))
local slot_name = 'used' .. slot % SLOTS
local stored = redis.call('HMGET', key, 'seen', 'calls', 'input', 'output', 'hold', 'ramp', 'ramp_s',
  'asked', 'told', 'told_calls', 'told_input', 'told_output', slot_name)
local known = stored[1] and true or false
local seen = tonumber(stored[1] or now)
local level = { tonumber(stored[2] or 0), tonumber(stored[3] or 0), tonumber(stored[4] or 0) }
local hold, ramp = tonumber(stored[5] or 0), tonumber(stored[6] or now)
local ramp_s, asked = tonumber(stored[7] or ARGV[8]), tonumber(stored[8] or now)
local told = tonumber(stored[9] or 0)
local lowered = { tonumber(stored[10] or 0), tonumber(stored[11] or 0), tonumber(stored[12] or 0) }
local used = { 0, 0, 0 }
if stored[13] then
  local number, calls, input, output = string.match(stored[13], '^(%S+) (%S+) (%S+) (%S+)$')
  if tonumber(number) == slot then
    used = { tonumber(calls), tonumber(input), tonumber(output) }
  end
end

local function in_force()
  local rates = { configured[1], configured[2], configured[3] }
  if now - told < LOWERED_S * SECOND then
    for kind = 1, 3 do
      if rates[kind] > 0 and lowered[kind] > 0 then
        rates[kind] = math.min(rates[kind], lowered[kind])
      end
    end
  end
  return rates
end

local function ramped(x)
  if x <= 0 then return 0 end
  if x >= ramp_s then return ramp_s * (1 + ramp_from) / 2 + (x - ramp_s) end
  return ramp_from * x + (1 - ramp_from) * x * x / (2 * ramp_s)
end

local function unramped(y)
  local whole = ramp_s * (1 + ramp_from) / 2
  if y >= whole then return ramp_s + (y - whole) end
  local a = (1 - ramp_from) / (2 * ramp_s)
  return 2 * y / (math.sqrt(ramp_from * ramp_from + 4 * a * y) + ramp_from)
end

local function refill()
  if now < seen then
    local back = now - seen
    hold, ramp, asked, told, seen = hold + back, ramp + back, asked + back, told + back, now
    return
  end
  local start, came = math.max(seen, hold), 0
  if now > start then
    came = ramped((now - ramp) / SECOND) - ramped((start - ramp) / SECOND)
  end
  local x, share, rates = (now - ramp) / SECOND, 1, in_force()
  if x < ramp_s then
    share = ramp_from + (1 - ramp_from) * math.max(x, 0) / math.max(ramp_s, TINY)
  end
  for kind = 1, 3 do
    local rate = rates[kind] / 60
    level[kind] = rate > 0 and math.min(level[kind] + rate * came, rate * burst_s * share) or 0
  end
  seen = now
end

local function empty()
  for kind = 1, 3 do level[kind] = math.min(level[kind], 0) end
end

local function take(calls, needs)
  if now - asked > idle_s * SECOND and hold <= now then
    empty()
    ramp, ramp_s = now, tonumber(ARGV[8])
  end
  asked = now
  if calls < 1 then return 0, 0, 0 end
  if hold > now then return 0, (hold - now) / SECOND, HELD end
  local granted, rates = calls, in_force()
  for kind = 1, 3 do
    if rates[kind] > 0 then
      if level[kind] < -TINY then
        granted = 0
      elseif needs[kind] > TINY then
        granted = math.min(granted, math.floor((level[kind] + TINY) / needs[kind]) + 1)
      end
    end
  end
  for kind = 1, 3 do
    if rates[kind] > 0 then level[kind] = level[kind] - granted * needs[kind] end
    used[kind] = used[kind] + granted * needs[kind]
  end
  if granted == calls then return granted, 0, 0 end
  local wait, why, x = 0, 1, (now - ramp) / SECOND
  local earned = ramped(x)
  for kind = 1, 3 do
    if rates[kind] > 0 and level[kind] < 0 then
      local seconds = unramped(earned - level[kind] * 60 / rates[kind]) - x
      if seconds > wait then wait, why = seconds, kind end
    end
  end
  return granted, wait, why
end

local granted, wait, why = 0, 0, 0
refill()
if op == 'take' then
  granted, wait, why = take(tonumber(ARGV[10]), { 1, tonumber(ARGV[11]), tonumber(ARGV[12]) })
elseif op == 'settle' then
  for kind = 1, 3 do
    local more = tonumber(ARGV[9 + kind])
    used[kind] = used[kind] + more
    -- What was taken before Redis was flushed must not be given back to a bucket that starts empty.
    if configured[kind] > 0 then
      level[kind] = level[kind] - (known and more or math.max(more, 0))
    end
  end
  if known then refill() end
elseif op == 'hold' then
  hold = math.max(hold, now + math.floor(tonumber(ARGV[10]) * SECOND))
  ramp, ramp_s = hold, tonumber(ARGV[11])
  empty()
elseif op == 'lift' then
  hold = math.min(hold, now)
  ramp, ramp_s = now, tonumber(ARGV[8])
  empty()
elseif op == 'observe' then
  for kind = 1, 3 do lowered[kind] = tonumber(ARGV[9 + kind]) or 0 end
  told = now
  local rates = in_force()
  for kind = 1, 3 do
    local room = tonumber(ARGV[12 + kind])
    if room and rates[kind] > 0 then
      level[kind] = math.min(level[kind], rates[kind] / 60 * room)
    end
  end
end

local function whole(number) return string.format('%.0f', number) end
local function exact(number) return string.format('%.17g', number) end
redis.call('HSET', key, 'seen', whole(seen), 'calls', exact(level[1]), 'input', exact(level[2]),
  'output', exact(level[3]), 'hold', whole(hold), 'ramp', whole(ramp), 'ramp_s', exact(ramp_s),
  'asked', whole(asked), 'told', whole(told), 'told_calls', whole(lowered[1]),
  'told_input', whole(lowered[2]), 'told_output', whole(lowered[3]), slot_name,
  whole(slot) .. ' ' .. exact(used[1]) .. ' ' .. exact(used[2]) .. ' ' .. exact(used[3]))
redis.call('EXPIRE', key, FORGET_S)
return { granted, exact(wait), why }
