-- A sensor: reads, seals, publishes; and obeys commands, if config.lua says how. What a reading
-- is, and everything else that can be chosen, stands in config.lua; the frame in espseal.lua, the
-- connection in link.lua, commands in commands.lua.
--
-- A reading waits in the outbox as plaintext and is sealed when it is sent, so that it goes out
-- under a session that is alive. It leaves when its publish was acknowledged (QoS 0: was sent).
-- If the connection dies before that, the same frame is sent again, which the receiver knows by
-- its MAC (rule R2 of src/CLASSIC.md), so that a reading is neither lost nor doubled.

-- Counts since boot; global, for a look from the serial port: for k, v in pairs(stats) do ...
stats = {
  readings = 0, published = 0, resent = 0, resealed = 0, refused = 0, dropped = 0,
  sessions = 0, bad_sessions = 0,
}

-- What runs once need not stay in the heap.
local function once(name)
  local module = require(name)
  package.loaded[name] = nil
  return module
end

local config, espseal, node_id = once("setup")("config.example.lua", {"sensor"})
if not config then return end

for _, field in ipairs{"on_command", "command_topic", "command_session_topic"} do
  if (config.on_command or config.command_topic or config.command_session_topic)
    and config[field] == nil then
    print("stopped: missing_field (" .. field .. "): commands need all three")
    return
  end
end

local topic, session_topic = config.topic, config.session_topic
local qos, retain = config.qos or 1, config.retain or 0
local outbox_size = config.outbox or 20
local session_max_age = config.session_max_age or 60
local interval = config.interval or 60000

if interval < 1 or interval > 6870947 then
  print("stopped: invalid_value (interval): 1 to 6870947 ms")
  return
end

-- A publish that is refused three times, and is about as long as the buffer of older builds
-- (1024 bytes for topic, payload and header; 1460 since), will never go out.
local SURELY_FITS = 1000

local outbox = {}  -- readings that wait, the oldest first
local flight       -- the one being delivered: data; frame, session_at in s, sent, refusals
local session, session_at      -- the session ID in use and when it was first heard, in s
local candidate, candidate_at  -- one that was heard and has not yet stood its time
local said_waiting = false

local settle, again = tmr.create(), tmr.create()
local link, commands, pump

-- Delivery --------------------------------------------------------------------------------------

local function drop(data, why)
  stats.dropped = stats.dropped + 1
  print("dropped a reading of " .. #data .. " bytes: " .. why)
end

local function acknowledged()
  stats.published = stats.published + 1
  print("published " .. #flight.frame .. " bytes, " .. #outbox .. " waiting")
  flight = nil
end

-- A session ID lives 120 s at the host; one that has been here for longer than session_max_age
-- may have died there, and what is sealed under it would be refused.
local function alive(at)
  return tmr.time() - at <= session_max_age
end

-- Seals the oldest reading; false if it has to wait.
local function seal_next()
  if not session or not alive(session_at) then
    if not said_waiting then
      print("waiting: no session ID " .. (session and "that is young enough" or "yet"))
      said_waiting = true
    end
    return false
  end
  while flight or #outbox > 0 do
    local data = flight and flight.data or table.remove(outbox, 1)
    local frame, problem = espseal.seal(node_id, data, session, config.to)
    if frame then
      flight = {data = data, frame = frame, session_at = session_at, refusals = 0}
      return true
    end
    flight = nil
    drop(data, problem)
  end
  return false
end

local function refused()
  stats.refused = stats.refused + 1
  flight.refusals = flight.refusals + 1
  local length = #topic + #flight.frame
  print("publish refused, topic and payload " .. length .. " bytes")
  if flight.refusals >= 3 and length > SURELY_FITS then
    drop(flight.data, "too long for this build of NodeMCU")
    flight = nil
  end
  again:alarm(config.reconnect_min or 1000, tmr.ALARM_SINGLE, pump)
end

-- Sends the next reading.
function pump()
  if not link.ready() or not (flight or #outbox > 0) then return end
  if flight and flight.frame then
    if not alive(flight.session_at) then
      -- The host would call it stale: whether the first copy arrived can no longer be told.
      flight.frame = nil
      stats.resealed = stats.resealed + 1
      print("sealing anew: the session of the first frame is over")
    elseif flight.sent then
      stats.resent = stats.resent + 1
      print("sending the same frame again")
    end
  end
  if not (flight and flight.frame) and not seal_next() then return end
  if link.publish(topic, flight.frame, qos, retain, acknowledged) then
    flight.sent = true
  else
    refused()
  end
end

local function sample()
  local reading = config.sensor()
  if reading == nil then return end
  stats.readings = stats.readings + 1
  if #outbox >= outbox_size then drop(table.remove(outbox, 1), "outbox full") end
  outbox[#outbox + 1] = tostring(reading)
  pump()
end

-- Sessions --------------------------------------------------------------------------------------

-- The session topic is in the clear and a node cannot verify an ID. The host answers a false one
-- with its own again, at once: so an ID counts when it has stood for a moment, and a false one
-- costs time instead of a reading. Only the first time an ID is heard counts for its age: the
-- broker delivers the retained one anew at every connection.
local function settled()
  session, session_at, candidate = candidate, candidate_at, nil
  stats.sessions = stats.sessions + 1
  said_waiting = false
  print("session ID received")
  pump()
end

settle:register(config.session_settle or 1000, tmr.ALARM_SEMI, settled)

local function heard_session(payload)
  -- The digits themselves enter the MAC: whatever their case, they are left as they are.
  if not payload or #payload ~= 32 or payload:find("%X") then
    stats.bad_sessions = stats.bad_sessions + 1
    print("ignored what is no session ID, " .. #(payload or "") .. " bytes")
  elseif payload == session then
    candidate = nil
    settle:stop()
  elseif payload ~= candidate then
    candidate, candidate_at = payload, tmr.time()
    settle:stop()
    settle:start()
  end
end

-- Connection ------------------------------------------------------------------------------------

link = once("link")(config, node_id, stats, {
  radio_up = espseal.radio_up,
  connected = function()
    -- QoS 0: the ID is retained and renewed, and its acknowledgements would queue behind readings.
    local topics = {[session_topic] = 0}
    if commands then
      commands.connected()
      commands.add_topics(topics)
    end
    link.subscribe(topics, function() print("mqtt: listening for session IDs") end)
  end,
  ready = function()
    if not (commands and commands.show()) then pump() end
  end,
  heard = function(from, payload)
    if from == session_topic then
      heard_session(payload)
    elseif commands then
      commands.heard(from, payload)
    end
  end,
})

if config.on_command then
  commands = once("commands").serve{
    config = config, espseal = espseal, node_id = node_id, link = link, stats = stats,
  }
end

sample()
tmr.create():alarm(interval, tmr.ALARM_AUTO, sample)
