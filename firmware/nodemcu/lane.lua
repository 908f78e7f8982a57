-- What waits to be published: in order, one at a time, each until it was acknowledged (QoS 0: was
-- sent). If the connection dies before that, the very same frame is sent again, so that the host
-- knows a copy when it sees one, and nothing is lost or doubled.
--
--   local lane = require("lane"){
--     link = link, topic = topic, qos = 1, retain = 0,
--     size = 20,                         -- of so many that wait the oldest is dropped
--     retry = 1000,                      -- ms after a publish that was refused
--     stats = {published = 0, resent = 0, resealed = 0, refused = 0, dropped = 0},
--     seal = function(item) end,         -- a frame; nil and a code: drop it; nil: not yet
--     alive = function(item) end,        -- whether the host would still take item.frame
--     delivered = function(item) end,
--     dropped = function(item, why) end,
--   }
--   lane.add(item)     -- a table; item.topic, if it has one; item.handed() once it is on its way
--   lane.pump()        -- true: something is on its way
--   lane.length()

-- A publish that is refused three times, and is about as long as the buffer of older builds
-- (1024 bytes for topic, payload and header; 1460 since), will never go out.
local SURELY_FITS = 1000

return function(given)
  local link, stats = given.link, given.stats
  local waiting = {} -- the oldest first
  local flight       -- the one being delivered: frame, sent, refusals
  local again = tmr.create()
  local pump

  local function drop(item, why)
    stats.dropped = stats.dropped + 1
    given.dropped(item, why)
  end

  local function acknowledged()
    local item = flight
    flight = nil
    stats.published = stats.published + 1
    given.delivered(item)
  end

  -- Seals the oldest; false if it has to wait, or there is none.
  local function seal_next()
    while flight or waiting[1] do
      local item = flight or waiting[1]
      local frame, problem = given.seal(item)
      if not frame and not problem then return false end
      if not flight then table.remove(waiting, 1) end
      if frame then
        item.frame, item.sent, item.refusals = frame, false, 0
        flight = item
        return true
      end
      flight = nil
      drop(item, problem)
    end
    return false
  end

  local function refused(topic)
    stats.refused = stats.refused + 1
    flight.refusals = flight.refusals + 1
    local length = #topic + #flight.frame
    print("publish refused, topic and payload " .. length .. " bytes")
    if flight.refusals >= 3 and length > SURELY_FITS then
      local item = flight
      flight = nil
      drop(item, "too long for this build of NodeMCU")
    end
    again:alarm(given.retry, tmr.ALARM_SINGLE, pump)
  end

  function pump()
    if not link.ready() then return false end
    if flight and flight.frame then
      if not given.alive(flight) then
        -- Whether the first copy arrived can no longer be told.
        flight.frame = nil
        stats.resealed = stats.resealed + 1
        print("sealing anew: the first frame would be refused")
      elseif flight.sent then
        stats.resent = stats.resent + 1
        print("sending the same frame again")
      end
    end
    if not (flight and flight.frame) and not seal_next() then return false end
    local item = flight
    local topic = item.topic or given.topic
    if not link.publish(topic, item.frame, given.qos, given.retain, acknowledged) then
      refused(topic)
      return false
    end
    item.sent = true
    if item.handed then item.handed() end
    return true
  end

  return {
    pump = pump,
    length = function() return #waiting + (flight and 1 or 0) end,
    add = function(item)
      if #waiting >= given.size then drop(table.remove(waiting, 1), "outbox full") end
      waiting[#waiting + 1] = item
    end,
  }
end
