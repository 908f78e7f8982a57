-- Copy to config.lua, change what is in capitals, upload. Lines that are commented out show the
-- default.

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
  -- mqtt_client_id = nil,    -- default: espseal-<node ID>; no two clients may share one
  -- mqtt_keepalive = 60,     -- in s

  -- Where the frames go, and where the host publishes its session IDs: both as in the keyring.
  topic = "sensors/CHANGE-ME",
  session_topic = "sensors/session",
  -- qos = 1,                 -- 0: lost in an outage; 1 or 2: sent until acknowledged
  -- retain = 0,              -- 1: the broker keeps the last frame (a number, not a boolean)

  -- The keys, as in the keyring's group: a string of 16 characters (16 bytes), or
  -- {hex = "32 hex digits"}. The passphrase may have any length. These four are refused.
  keys = {
    iv_key = "CHANGE-ME-iv-key",
    data_key = "CHANGE-ME-data-k",
    static_iv = "CHANGE-ME-static",
    passphrase = "CHANGE-ME-passphrase",
  },
  -- allow_article_keys = false,  -- true: keys that everyone knows, for a first try
  -- layout = "hex",          -- or "raw": half the size, not printable

  -- node_id = nil,           -- 1 to 15 bytes without NUL and without ">"; default: the chip ID
  -- to = nil,                -- the node ID of a receiver node, if the readings go to one and it
                              -- lists this node in `peers`; 14 bytes at most with node_id

  -- What to publish, a number or a string (one that does not end in a NUL byte); nil: nothing now.
  sensor = function() return adc.read(0) end,
  -- interval = 60000,        -- between two readings, in ms, at most 6870947

  -- Commands of the host: all three, or none. The topics as in the keyring, with this node's ID.
  -- command_topic = "sensors/NODE-ID/command",
  -- command_session_topic = "sensors/NODE-ID/command-session",
  -- on_command = function(data) gpio.write(1, data == "on" and gpio.HIGH or gpio.LOW) end,
  -- command_session_interval = 60,  -- in s; a command that was held back dies after twice this
  -- peers = nil,             -- {"7"}: nodes whose messages are commands too; on_command(data, who)

  -- outbox = 20,             -- readings kept while they cannot be sent; then the oldest is dropped
  -- session_max_age = 60,    -- in s; longest use of a session ID; a new one comes every 30 s
  -- session_settle = 1000,   -- in ms; a session ID counts when no other came for so long
  -- ack_timeout = 10000,     -- in ms; without an acknowledgement for so long: reconnect
  -- reconnect_min = 1000,    -- in ms; the first pause before another connection, then doubled
  -- reconnect_max = 60000,   -- in ms; the longest
}
