-- One exchange between a node and the limits of one key; see store.py for what goes in and out.
-- A window's step is a field `window:step`, a node's share a field `@node` = `held slots deadline sequence`.
local key, channel = KEYS[1], KEYS[2]
local node, sequence = ARGV[1], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(ARGV[2]) or (tonumber(time[1]) + tonumber(time[2]) / 1000000)
local held, slots = tonumber(ARGV[4]), tonumber(ARGV[5])
local least, wanted = tonumber(ARGV[6]), tonumber(ARGV[7])
local least_slots, wanted_slots = tonumber(ARGV[8]), tonumber(ARGV[9])
local lifetime, shares = tonumber(ARGV[10]), tonumber(ARGV[11])
local at_once = tonumber(ARGV[12])
local STEPS = 60
local SECONDS = {60, 3600, 86400, 60, 60}
local most = {}
for w = 1, 5 do most[w] = tonumber(ARGV[12 + w]) end

local function step_of(w, moment) return math.floor(moment * STEPS / SECONDS[w]) end

-- What is there: old steps and nodes that are gone are forgotten.
local sums, cells = {0, 0, 0, 0, 0}, {{}, {}, {}, {}, {}}
local others_held, others_slots, seen = 0, 0, 0
local fields = redis.call('HGETALL', key)
for i = 1, #fields, 2 do
  local name, value = fields[i], fields[i + 1]
  if string.sub(name, 1, 1) == '@' then
    local h, s, deadline, q = string.match(value, '^(%d+) (%d+) ([%d.]+) (%d+)$')
    if name == '@' .. node then
      seen = tonumber(q)
    elseif tonumber(deadline) <= now then
      redis.call('HDEL', key, name)
    else
      others_held, others_slots = others_held + tonumber(h), others_slots + tonumber(s)
    end
  else
    local w, step = string.match(name, '^(%d):(%d+)$')
    w, step = tonumber(w), tonumber(step)
    if step <= step_of(w, now) - STEPS - 1 then
      redis.call('HDEL', key, name)
    else
      cells[w][step] = tonumber(value)
      sums[w] = sums[w] + tonumber(value)
    end
  end
end

-- What was used since: once, however often it is told.
local reported = false
local function add(w, moment, amount)
  local step = step_of(w, moment)
  if step > step_of(w, now) - STEPS - 1 then
    redis.call('HINCRBY', key, w .. ':' .. step, amount)
    cells[w][step] = (cells[w][step] or 0) + amount
    sums[w] = sums[w] + amount
  end
end
if sequence > seen then
  for i = 18, #ARGV, 3 do
    local kind, moment, amount = ARGV[i], now - tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
    if kind == 'r' then
      for w = 1, 3 do add(w, moment, amount) end
    else
      add(kind == 'i' and 4 or 5, moment, amount)
      reported = true
    end
  end
end

-- What may be held beyond that.
local left = math.huge
for w = 1, 3 do left = math.min(left, most[w] - sums[w]) end
left = left - others_held
local room = left - held
local is_blocked = (most[4] > 0 and sums[4] >= most[4]) or (most[5] > 0 and sums[5] >= most[5])
local granted, granted_slots = 0, 0
if not is_blocked and room >= least then
  granted = math.max(0, math.max(least, math.min(wanted, math.floor(room / shares))))
end
local slot_room = (at_once > 0 and at_once or math.huge) - others_slots - slots
if slot_room >= least_slots then
  granted_slots = math.max(0, math.max(least_slots, math.min(wanted_slots, math.floor(slot_room / shares))))
end

-- How long until more fits, if the windows themselves are full: the longest wait is the honest one.
local wait, reached = 0, 0
for w = 1, 5 do
  if most[w] > 0 and sums[w] >= most[w] then
    local steps, total = {}, sums[w]
    for step in pairs(cells[w]) do table.insert(steps, step) end
    table.sort(steps)
    for _, step in ipairs(steps) do
      total = total - cells[w][step]
      if total < most[w] then
        local until_then = math.max((step + STEPS + 1) * SECONDS[w] / STEPS - now, 0.001)
        if until_then > wait then wait, reached = until_then, w end
        break
      end
    end
  end
end

local share = (held + granted) .. ' ' .. (slots + granted_slots)
redis.call('HSET', key, '@' .. node, share .. ' ' .. string.format('%.3f', now + lifetime) .. ' ' .. math.max(sequence, seen))
redis.call('EXPIRE', key, 86400 + 1500)
-- Whoever holds what is lacking here gives it back, and nobody goes on who does not know that tokens have run out.
if (least > granted and others_held > 0) or (least_slots > granted_slots and others_slots > 0)
    or (reported and is_blocked and others_held > 0) then
  redis.call('PUBLISH', channel, key .. ' ' .. node)
end

local answer = {granted, granted_slots, others_held, others_slots, left, reached, string.format('%.6f', wait)}
for w = 1, 5 do
  local newest = 0
  for step in pairs(cells[w]) do newest = math.max(newest, step) end
  local whole = newest > 0 and math.max((newest + STEPS + 1) * SECONDS[w] / STEPS - now, 0) or 0
  table.insert(answer, sums[w])
  table.insert(answer, string.format('%.6f', whole))
end
return answer
