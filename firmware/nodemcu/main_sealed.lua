-- A sensor with a key of its own: reads, seals, publishes; takes commands. What a reading is, and
-- everything else that can be chosen, stands in config.lua (see sealed.config.example.lua); the
-- frame in sealed.lua, the counter in state.lua, the hello in hello.lua, what the host sends in
-- sessions.lua and obey.lua, the connection in link.lua, delivery in lane.lua.
--
-- A reading waits in the outbox as plaintext and is sealed when it is sent. The host knows a copy
-- of a frame by its counter, so a reading is neither lost nor doubled.

-- luacheck: globals stats

-- Counts since boot; global, for a look from the serial port: for k, v in pairs(stats) do ...
-- Verdicts on what the host sent; what became of readings.
stats = {readings = 0, published = 0, resent = 0, resealed = 0, refused = 0, dropped = 0}

local VERSION = "espseal-nodemcu 0.1.0"

-- What runs once need not stay in the heap.
local function once(name)
  local module = require(name)
  package.loaded[name] = nil
  return module
end

local config, parts = once("setup_sealed")()
if not config then return end

local sealed, state = parts.sealed, once("state")(parts)
local sessions = once("sessions"){sealed = sealed, state = state, now = tmr.time}

local welcomed, released = false, false
local link, outbox, controls, beacon, hello, obey

-- Answers and hellos before readings.
local function pump()
  if not controls.pump() and released then outbox.pump() end
end

local function release()
  released = true
  pump()
end

local function sample()
  local reading = config.sensor()
  if reading == nil then return end
  stats.readings = stats.readings + 1
  outbox.add{data = tostring(reading)}
  pump()
end

link = once("link")(config, config.address, stats, {
  radio_up = function() end,
  connected = function()
    -- QoS 0: the beacon is retained and renewed, and a host sends again what is not acknowledged.
    local topics = {[config.down_topic] = 0}
    if config.beacon_topic then topics[config.beacon_topic] = 0 end
    link.subscribe(topics, function()
      print("mqtt: listening to the host")
      hello.connected()
      -- H2. A host without this device's window could not take readings yet.
      tmr.create():alarm(config.hold or 10000, tmr.ALARM_SINGLE, release)
    end)
  end,
  ready = pump,
  heard = function(topic, payload)
    if topic == config.down_topic then
      if payload then obey(payload) else hello.asked() end
      pump()
    elseif payload and #payload == 32 and not payload:find("%X") then
      beacon.take(payload)
    else
      print("ignored what is no session ID, " .. #(payload or "") .. " bytes")
    end
  end,
})

local bytes = require("bytes")
local lane = once("lane")
local retry = config.reconnect_min or 1000

-- The beacon's session and when it was first heard, or nil.
local function beacon_session()
  local digits, at = beacon.current()
  if digits then return bytes.unhex(digits), at end
end

outbox = lane{
  link = link, topic = config.up_topic, qos = config.qos or 1, retain = config.retain or 0,
  size = config.outbox or 20, retry = retry, stats = stats,
  seal = function(item)
    local session
    -- H3. Bound for good, a reading that waited out an outage would be stale.
    if not welcomed then session, item.session_at = beacon_session() end
    local frame, code = state.seal(sealed.DATA, session, item.data)
    if frame or code == "frame_too_long" then return frame, code end
    print("waiting: " .. code)
  end,
  alive = function(item)
    return not state.passed(item.frame)
      and (not item.session_at or beacon.alive(item.session_at))
  end,
  delivered = function(item)
    print("published " .. #item.frame .. " bytes, " .. outbox.length() .. " waiting")
  end,
  dropped = function(item, why)
    print("dropped a reading of " .. #item.data .. " bytes: " .. why)
  end,
}

controls = lane{
  link = link, topic = config.up_topic, qos = 1, retain = 0, size = 10, retry = retry,
  stats = {published = 0, resent = 0, resealed = 0, refused = 0, dropped = 0},
  seal = function(item) return item.seal() end,
  -- A hello is said anew.
  alive = function(item) return not item.hello and not state.passed(item.frame) end,
  delivered = function(item) if item.done then item.done() end end,
  dropped = function(item, why)
    print((item.hello and "no hello: " or "no answer: ") .. why)
    if item.done then item.done() end
  end,
}

beacon = once("heard"){
  settle = config.session_settle or 1000, max_age = config.session_max_age or 60,
  settled = function() hello.beacon() end,
}

hello = once("hello"){
  config = config, state = state, sealed = sealed, sessions = sessions,
  beacon = {current = beacon_session}, lane = controls, pump = pump, version = VERSION,
}

obey = once("obey"){
  config = config, state = state, sealed = sealed, sessions = sessions, stats = stats,
  lane = controls,
  welcomed = function()
    welcomed = true
    hello.welcomed()
    release()
  end,
  ratcheted = function() once("scrub")(file) end,
}

sample()
if config.sleep then
  once("nap"){
    config = config, state = state,
    idle = function() return released and outbox.length() + controls.length() == 0 end,
  }
else
  tmr.create():alarm(config.interval or 60000, tmr.ALARM_AUTO, sample)
end
