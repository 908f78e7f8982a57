-- A device with a key of its own. Copy to config.lua, change what is in capitals, upload. Lines
-- that are commented out show the default.

return {
  -- Wi-Fi: 2.4 GHz; an empty password for an open network, else 8 to 64 characters.
  wifi_ssid = "YOUR-WIFI",
  wifi_password = "YOUR-WIFI-PASSWORD",

  -- The MQTT broker: a host name or an IP address.
  mqtt_host = "BROKER.EXAMPLE",
  -- mqtt_port = 1883,
  -- mqtt_tls = false,        -- takes about 25 kB of heap; the frame is sealed either way
  -- mqtt_user = nil,
  -- mqtt_password = nil,
  -- mqtt_client_id = nil,    -- default: espseal-<address>; no two clients may share one
  -- mqtt_keepalive = 60,     -- in s

  -- Who this device is, as in the host's keyring: 16 hex digits; the key of the device, not of the
  -- fleet: 64 hex digits; and which epoch that is the key of.
  address = "CHANGE-ME",
  device_key = "CHANGE-ME",
  epoch = 0,

  -- Where the host publishes its session IDs, as in the keyring. Without it no commands.
  beacon_topic = "espseal/FLEET/beacon",
  -- The topics of this device; default: espseal/<address>/up and so on.
  -- up_topic = nil,          -- readings and answers
  -- hello_topic = nil,
  -- down_topic = nil,        -- what the host sends
  -- qos = 1,                 -- 0: lost in an outage; 1 or 2: sent until acknowledged
  -- retain = 0,              -- 1: the broker keeps the last frame (a number, not a boolean)

  -- What to publish, a number or a string; nil: nothing now.
  sensor = function() return adc.read(0) end,
  -- interval = 60000,        -- between two readings, in ms, at most 6870947
  -- sleep = nil,             -- in ms, at most 2147483: deep sleep between two readings instead;
                              -- wire GPIO16 to RST
  -- listen = 1000,           -- in ms; awake for so long after the last word, to hear the host
  -- awake = 30000,           -- in ms; asleep after so long in any case

  -- What a command does; without it the device takes none. It may be any bytes.
  -- on_command = function(data) gpio.write(1, data == "on" and gpio.HIGH or gpio.LOW) end,
  -- on_mode = nil,           -- function(wanted) return 0 end: a number that the host wants, or nil
                              -- if it asks; returns the one that the device is in, 0 to 255

  -- outbox = 20,             -- readings kept while they cannot be sent; then the oldest is dropped
  -- hold = 10000,            -- in ms; readings wait for so long for the host's welcome
  -- hello_interval = 600,    -- in s; how often the device asks for a new welcome: a command that
                              -- was held back dies in that time and a minute
  -- hello_min = 2000,        -- in ms; the first pause before another hello, then doubled
  -- hello_max = 60000,       -- in ms; the longest
  -- session_max_age = 60,    -- in s; longest use of a beacon's session; a new one comes every 60 s
  -- session_settle = 1000,   -- in ms; it counts when no other came for so long
  -- reserve = 1024,          -- counters that one write to flash reserves
  -- ack_timeout = 10000,     -- in ms; without an acknowledgement for so long: reconnect
  -- reconnect_min = 1000,    -- in ms; the first pause before another connection, then doubled
  -- reconnect_max = 60000,   -- in ms; the longest
}
