-- A sensor: reads, seals, publishes; and obeys commands, if config.lua says how. What a reading
-- is, and everything else that can be chosen, stands in config.lua; the frame in espseal.lua, the
-- connection in link.lua, delivery in lane.lua, commands in commands.lua.
--
-- A reading waits in the outbox as plaintext and is sealed when it is sent, so that it goes out
-- under a session that is alive. The receiver knows a copy of a frame by its MAC (rule R2 of
-- src/CLASSIC.md).

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

local session_topic = config.session_topic
local interval = config.interval or 60000

if interval < 1 or interval > 6870947 then
  print("stopped: invalid_value (interval): 1 to 6870947 ms")
  return
end

local said_waiting = false
local link, commands, heard, outbox

-- Delivery --------------------------------------------------------------------------------------

-- A session ID that is in use, or nil: said once.
local function session_in_use()
  local session, at = heard.current()
  if not session and not said_waiting then
    print("waiting: no session ID " .. (at and "that is young enough" or "yet"))
    said_waiting = true
  end
  return session, at
end

local function sample()
  local reading = config.sensor()
  if reading == nil then return end
  stats.readings = stats.readings + 1
  outbox.add{data = tostring(reading)}
  outbox.pump()
end

local function heard_session(payload)
  -- The digits themselves enter the MAC: whatever their case, they are left as they are.
  if not payload or #payload ~= 32 or payload:find("%X") then
    stats.bad_sessions = stats.bad_sessions + 1
    print("ignored what is no session ID, " .. #(payload or "") .. " bytes")
  else
    heard.take(payload)
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
    if not (commands and commands.show()) then outbox.pump() end
  end,
  heard = function(from, payload)
    if from == session_topic then
      heard_session(payload)
    elseif commands then
      commands.heard(from, payload)
    end
  end,
})

outbox = once("lane"){
  link = link, topic = config.topic, qos = config.qos or 1, retain = config.retain or 0,
  size = config.outbox or 20, retry = config.reconnect_min or 1000, stats = stats,
  seal = function(item)
    local session, at = session_in_use()
    if not session then return nil end
    item.session_at = at
    return espseal.seal(node_id, item.data, session, config.to)
  end,
  alive = function(item) return heard.alive(item.session_at) end,
  delivered = function(item)
    print("published " .. #item.frame .. " bytes, " .. outbox.length() .. " waiting")
  end,
  dropped = function(item, why)
    print("dropped a reading of " .. #item.data .. " bytes: " .. why)
  end,
}

heard = once("heard"){
  settle = config.session_settle or 1000, max_age = config.session_max_age or 60,
  settled = function()
    stats.sessions = stats.sessions + 1
    said_waiting = false
    print("session ID received")
    outbox.pump()
  end,
}

if config.on_command then
  commands = once("commands").serve{
    config = config, espseal = espseal, node_id = node_id, link = link, stats = stats,
  }
end

sample()
tmr.create():alarm(interval, tmr.ALARM_AUTO, sample)
