-- The hello: offers the host a session until it is welcomed (H1 and H2 in src/SEALED.md).
--
--   local hello = require("hello"){
--     config = config, state = state, sealed = sealed, sessions = sessions,
--     beacon = beacon,   -- heard.lua on the beacon's topic
--     lane = lane,       -- where it waits to be sent; pump() sends what waits
--     pump = pump, version = "...",
--   }
--   hello.connected()    -- a new connection, and it listens
--   hello.beacon()       -- another beacon counts
--   hello.asked()        -- someone asks for a hello
--   hello.welcomed()     -- enough

local ZERO = ("\0"):rep(16)
-- Who asks needs no key: at most once in so many seconds.
local ASKED = 60
-- How long a new connection waits for the beacon, which the broker keeps, in ms on top of its
-- settling: a hello without it may not be believed.
local BEACON = 3000

return function(given)
  local config, state, sealed = given.config, given.state, given.sealed
  local sessions, beacon = given.sessions, given.beacon
  local shortest, longest = config.hello_min or 2000, config.hello_max or 60000
  local pause = shortest
  local queued, waits_for_beacon = false, false
  local asked_at
  local retry = tmr.create()

  -- The device key, the counter and the beacon each make it another one when the others repeat: the
  -- random numbers after a reset, the counter after a wipe.
  local function draw(counter, heard)
    local random = {}
    for i = 1, 16 do random[i] = string.char(node.random(0, 255)) end
    return sealed.session(state.key, counter, heard or ZERO, table.concat(random))
  end

  local function seal()
    local heard = beacon.current()
    return state.seal(sealed.HELLO, heard, function(counter)
      local offered = sessions.offered()
      if not offered or heard and not offered.commands then
        sessions.offer(draw(counter, heard), heard ~= nil)
      end
      return sessions.offered().id .. given.version
    end)
  end

  local function send()
    waits_for_beacon = false
    if not queued then
      queued = true
      given.lane.add{
        topic = config.hello_topic, seal = seal, hello = true,
        done = function() queued = false end,
      }
    end
    retry:alarm(pause, tmr.ALARM_SINGLE, send)
    pause = pause * 2
    if pause > longest then pause = longest end
    given.pump()
  end

  local function begin()
    pause = shortest
    send()
  end

  tmr.create():alarm((config.hello_interval or 600) * 1000, tmr.ALARM_AUTO, function()
    if not sessions.offered() then begin() end
  end)

  return {
    connected = function()
      if config.beacon_topic and not beacon.current() then
        waits_for_beacon = true
        retry:alarm(BEACON + (config.session_settle or 1000), tmr.ALARM_SINGLE, begin)
      else
        begin()
      end
    end,
    beacon = function()
      local shown = sessions.offered() or sessions.current()
      if waits_for_beacon or shown and not shown.commands then begin() end
    end,
    asked = function()
      if asked_at and tmr.time() - asked_at < ASKED then return end
      asked_at = tmr.time()
      begin()
    end,
    welcomed = function() retry:stop() end,
  }
end
