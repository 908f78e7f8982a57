-- The hello: shows the host a session until it is welcomed (H1 and H2 in src/SEALED.md).
--
--   local hello = require("hello"){
--     config = config, state = state, sealed = sealed, sessions = sessions,
--     beacon = beacon,   -- beacon.current(): its session, 16 bytes, or nil
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
  local draws = true             -- the next hello shows a new session
  local queued = false           -- one waits to be sent
  local waits_for_beacon = false
  local answered                 -- when someone who asked got a hello, in s
  local retry, later = tmr.create(), tmr.create()

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
      if draws then
        sessions.draw(draw(counter, heard), heard ~= nil)
        draws = false
      end
      return sessions.newest().id .. given.version
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

  -- The first of a series.
  local function begin()
    pause = shortest
    send()
  end

  local function begin_anew()
    draws = true
    begin()
  end

  local function answer()
    answered = tmr.time()
    begin_anew()
  end

  tmr.create():alarm((config.hello_interval or 600) * 1000, tmr.ALARM_AUTO, begin_anew)

  return {
    connected = function()
      -- A host may have lost its store meanwhile: it counts its downlinks from 1, and under a
      -- session that heard some its welcome would be replayed.
      local newest = sessions.newest()
      if newest and newest.welcomed then draws = true end
      if config.beacon_topic and not beacon.current() then
        waits_for_beacon = true
        retry:alarm(BEACON + (config.session_settle or 1000), tmr.ALARM_SINGLE, begin)
      else
        begin()
      end
    end,
    beacon = function()
      local newest = sessions.newest()
      if newest and not newest.commands then
        begin_anew()
      elseif waits_for_beacon then
        begin()
      end
    end,
    asked = function()
      local early = answered and ASKED - (tmr.time() - answered) or 0
      if early <= 0 then
        later:stop()
        answer()
      else
        -- Not forgotten: the host that asks now may be another one.
        later:alarm(early * 1000, tmr.ALARM_SINGLE, answer)
      end
    end,
    welcomed = function()
      if sessions.newest().welcomed then retry:stop() end
    end,
  }
end
