-- A sensor: reads, seals, publishes. What a reading is, and everything else that can be chosen,
-- stands in config.lua; the frame in espseal.lua.
--
-- A reading waits in the outbox as plaintext and is sealed when it is sent, so that it goes out
-- under a session that is alive. It leaves when its publish was acknowledged (QoS 0: was sent).
-- If the connection dies before that, the same frame is sent again, which the receiver knows by
-- its MAC (rule R2 of src/CLASSIC.md), so that a reading is neither lost nor doubled.

-- Counts since boot; global, for a look from the serial port: for k, v in pairs(stats) do ...
stats = {
  readings = 0, published = 0, resent = 0, resealed = 0, refused = 0, dropped = 0,
  sessions = 0, bad_sessions = 0, connects = 0, disconnects = 0,
}

if not file.exists("config.lua") then
  print("stopped: no config.lua: see config.example.lua")
  return
end
local config = dofile("config.lua")

for _, field in ipairs{"wifi_ssid", "mqtt_host", "topic", "session_topic", "sensor"} do
  if config[field] == nil then
    print("stopped: missing_field (" .. field .. "): see config.example.lua")
    return
  end
end

local espseal, code, field = require("espseal").new{
  crypto = crypto, node = node, store = file, keys = config.keys, layout = config.layout,
  allow_article_keys = config.allow_article_keys,
}
if not espseal then
  print("stopped: " .. code .. " (" .. field .. ")")
  if code == "article_keys" then
    print("this key is printed in the article and known to everyone: draw new keys")
  elseif code == "placeholder_keys" then
    print("this key is the example's: put your keys in config.lua")
  end
  return
end

local node_id = config.node_id or tostring(node.chipid())
local topic, session_topic = config.topic, config.session_topic
local qos, retain = config.qos or 1, config.retain or 0
local outbox_size = config.outbox or 20
local session_max_age = config.session_max_age or 60
local reconnect_min = config.reconnect_min or 1000
local reconnect_max = config.reconnect_max or 60000
local ack_timeout = config.ack_timeout or 10000
local interval = config.interval or 60000

if interval < 1 or interval > 6870947 then
  print("stopped: invalid_value (interval): 1 to 6870947 ms")
  return
end
print("node ID " .. node_id)

-- Longer than NodeMCU's own limit of 60 s for a connection to come about.
local CONNECT_TIMEOUT = 75000
-- A publish that is refused three times, and is about as long as the buffer of older builds
-- (1024 bytes for topic, payload and header; 1460 since), will never go out.
local SURELY_FITS = 1000

local client = mqtt.Client(
  config.mqtt_client_id or "espseal-" .. node_id, config.mqtt_keepalive or 60,
  config.mqtt_user, config.mqtt_password)

local outbox = {}  -- readings that wait, the oldest first
local flight       -- the one being delivered: data; frame, session_at in s, sent, refusals
local session, session_at      -- the session ID in use and when it was first heard, in s
local candidate, candidate_at  -- one that was heard and has not yet stood its time
local link = "down"     -- down: no IP address; waiting, connecting, online
local awaiting = false  -- a publish is on its way and its outcome not yet known
local delay = reconnect_min
local said_waiting = false

local retry, watchdog, settle, again = tmr.create(), tmr.create(), tmr.create(), tmr.create()
local pump, connect

-- Delivery --------------------------------------------------------------------------------------

local function drop(data, why)
  stats.dropped = stats.dropped + 1
  print("dropped a reading of " .. #data .. " bytes: " .. why)
end

-- Called for PUBACK, PUBCOMP or, at QoS 0, the packet having been sent.
local function acknowledged()
  if not awaiting then return end
  awaiting = false
  watchdog:stop()
  stats.published = stats.published + 1
  print("published " .. #flight.frame .. " bytes, " .. #outbox .. " waiting")
  flight = nil
  pump()
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
    local frame, problem = espseal.seal(node_id, data, session)
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
  again:alarm(reconnect_min, tmr.ALARM_SINGLE, pump)
end

-- Sends the next reading. One at a time: NodeMCU calls the last callback for every PUBACK.
function pump()
  if link ~= "online" or awaiting or not (flight or #outbox > 0) then return end
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
  awaiting = true
  -- false without an error when the message does not fit the module's buffer.
  if client:publish(topic, flight.frame, qos, retain, acknowledged) then
    flight.sent = true
    watchdog:start()
  else
    awaiting = false
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

local function heard(_, from, payload)
  if from ~= session_topic then return end
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

local function hang_up(next_link)
  if link == "online" then stats.disconnects = stats.disconnects + 1 end
  link, awaiting = next_link, false
  watchdog:stop()
  retry:stop()
end

local function lost(why)
  -- One failure may be reported twice, as a failed connection and as offline.
  if link == "waiting" or link == "down" then return end
  hang_up("waiting")
  -- The chip ID spreads the nodes out that a broker lost in the same moment.
  local pause = delay + node.chipid() % reconnect_min
  print("mqtt: " .. why .. ", next try in " .. pause .. " ms")
  retry:alarm(pause, tmr.ALARM_SINGLE, connect)
  delay = delay * 2
  if delay > reconnect_max then delay = reconnect_max end
end

local function online()
  if link ~= "connecting" then return end
  link, delay = "online", reconnect_min
  watchdog:stop()
  watchdog:interval(ack_timeout)
  stats.connects = stats.connects + 1
  print("mqtt: connected to " .. config.mqtt_host)
  -- QoS 0: the ID is retained and renewed, and its acknowledgements would queue behind readings.
  local function subscribed() print("mqtt: listening for session IDs") end
  if client:subscribe(session_topic, 0, subscribed) then
    pump()
  else
    client:close()
    lost("subscription refused")
  end
end

local function failed(_, reason)
  lost("connection failed, reason " .. reason)
end

function connect()
  link = "connecting"
  -- NodeMCU keeps what was queued over a disconnect and would send it again by itself, long
  -- after its session. close() empties the queue; flight knows what there is to send.
  client:close()
  watchdog:interval(CONNECT_TIMEOUT)
  watchdog:start()
  local host, port = config.mqtt_host, config.mqtt_port or 1883
  -- Builds before 2020 want a number for `secure`, later ones a boolean; both may go without.
  if config.mqtt_tls then
    client:connect(host, port, true, online, failed)
  else
    client:connect(host, port, online, failed)
  end
end

client:on("message", heard)
client:on("offline", function() lost("offline") end)
settle:register(config.session_settle or 1000, tmr.ALARM_SEMI, settled)
-- NodeMCU gives up a packet that it could not send for 5 s, and calls nobody.
watchdog:register(ack_timeout, tmr.ALARM_SEMI, function()
  local why = link == "online" and "no acknowledgement" or "no answer"
  client:close()
  lost(why)
end)

-- Wi-Fi -----------------------------------------------------------------------------------------

local said_reason

wifi.eventmon.register(wifi.eventmon.STA_GOT_IP, function(info)
  if link ~= "down" then return end
  said_reason = nil
  print("wifi: IP address " .. info.IP)
  espseal.radio_up()
  connect()
end)

wifi.eventmon.register(wifi.eventmon.STA_DISCONNECTED, function(info)
  -- It comes again with every attempt.
  if info.reason ~= said_reason then print("wifi: disconnected, reason " .. info.reason) end
  said_reason = info.reason
  if link == "down" then return end
  hang_up("down")
  -- Or the module would take itself for connected, and refuse to connect again.
  client:close()
end)

wifi.setmode(wifi.STATION, false)
wifi.sta.config{
  ssid = config.wifi_ssid, pwd = config.wifi_password or "", auto = true, save = false,
}

sample()
tmr.create():alarm(interval, tmr.ALARM_AUTO, sample)
