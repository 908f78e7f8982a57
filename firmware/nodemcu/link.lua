-- Wi-Fi and MQTT: one connection that is made again whenever it breaks, and one publish at a time.
--
--   local link = require("link")(config, node_id, stats, {
--     radio_up = function() end,  -- there is an IP address
--     connected = function() end, -- there is a connection: subscribe; publish first what must be
--     ready = function() end,     -- publish may be called: connected, or the last one is done
--     heard = function(topic, payload) end,  -- a message; an empty payload is nil
--   })
--   link.ready()                                     -- whether publish may be called
--   link.publish(topic, payload, qos, retain, done)  -- false: it does not fit the module's buffer
--   link.subscribe({[topic] = qos, ...}, done)
--
-- done is called when the publish was acknowledged (QoS 0: was sent); if the connection breaks
-- before that it is not called at all.

-- Longer than NodeMCU's own limit of 60 s for a connection to come about.
local CONNECT_TIMEOUT = 75000

return function(config, node_id, stats, on)
  local reconnect_min = config.reconnect_min or 1000
  local reconnect_max = config.reconnect_max or 60000
  local ack_timeout = config.ack_timeout or 10000

  local client = mqtt.Client(
    config.mqtt_client_id or "espseal-" .. node_id, config.mqtt_keepalive or 60,
    config.mqtt_user, config.mqtt_password)

  local state = "down" -- down: no IP address; waiting, connecting, online
  local awaiting       -- a publish is on its way: what to call when it is acknowledged
  local delay = reconnect_min
  local retry, watchdog = tmr.create(), tmr.create()
  local connect

  stats.connects, stats.disconnects = 0, 0

  local function ready() return state == "online" and not awaiting end

  local function hang_up(next_state)
    if state == "online" then stats.disconnects = stats.disconnects + 1 end
    state, awaiting = next_state, nil
    watchdog:stop()
    retry:stop()
  end

  local function lost(why)
    -- One failure may be reported twice, as a failed connection and as offline.
    if state == "waiting" or state == "down" then return end
    hang_up("waiting")
    -- The chip ID spreads the nodes out that a broker lost in the same moment.
    local pause = delay + node.chipid() % reconnect_min
    print("mqtt: " .. why .. ", next try in " .. pause .. " ms")
    retry:alarm(pause, tmr.ALARM_SINGLE, connect)
    delay = delay * 2
    if delay > reconnect_max then delay = reconnect_max end
  end

  -- Always the same function: NodeMCU calls the one given last for every PUBACK.
  local function acknowledged()
    if not awaiting then return end
    local done = awaiting
    awaiting = nil
    watchdog:stop()
    done()
    if ready() then on.ready() end
  end

  local function publish(topic, payload, qos, retain, done)
    awaiting = done
    -- false without an error when the message does not fit the module's buffer.
    if client:publish(topic, payload, qos, retain, acknowledged) then
      watchdog:start()
      return true
    end
    awaiting = nil
    return false
  end

  local function subscribe(topics, done)
    if client:subscribe(topics, done) then return end
    client:close()
    lost("subscription refused")
  end

  local function online()
    if state ~= "connecting" then return end
    state, delay = "online", reconnect_min
    watchdog:stop()
    watchdog:interval(ack_timeout)
    stats.connects = stats.connects + 1
    print("mqtt: connected to " .. config.mqtt_host)
    on.connected()
    if ready() then on.ready() end
  end

  local function failed(_, reason)
    lost("connection failed, reason " .. reason)
  end

  function connect()
    state = "connecting"
    -- NodeMCU keeps what was queued over a disconnect and would send it again by itself, long
    -- after its session. close() empties the queue; the program knows what there is to send.
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

  client:on("message", function(_, topic, payload) on.heard(topic, payload) end)
  client:on("offline", function() lost("offline") end)
  -- NodeMCU gives up a packet that it could not send for 5 s, and calls nobody.
  watchdog:register(ack_timeout, tmr.ALARM_SEMI, function()
    local why = state == "online" and "no acknowledgement" or "no answer"
    client:close()
    lost(why)
  end)

  local said_reason

  wifi.eventmon.register(wifi.eventmon.STA_GOT_IP, function(info)
    if state ~= "down" then return end
    said_reason = nil
    print("wifi: IP address " .. info.IP)
    on.radio_up()
    connect()
  end)

  wifi.eventmon.register(wifi.eventmon.STA_DISCONNECTED, function(info)
    -- It comes again with every attempt.
    if info.reason ~= said_reason then print("wifi: disconnected, reason " .. info.reason) end
    said_reason = info.reason
    if state == "down" then return end
    hang_up("down")
    -- Or the module would take itself for connected, and refuse to connect again.
    client:close()
  end)

  wifi.setmode(wifi.STATION, false)
  wifi.sta.config{
    ssid = config.wifi_ssid, pwd = config.wifi_password or "", auto = true, save = false,
  }

  return {ready = ready, publish = publish, subscribe = subscribe}
end
