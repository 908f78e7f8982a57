-- For receiver.lua: copy to config.lua, change what is in capitals, upload. Lines that are
-- commented out show the default.

return {
  -- Wi-Fi: 2.4 GHz; an empty password for an open network, else 8 to 64 characters.
  wifi_ssid = "YOUR-WIFI",
  wifi_password = "YOUR-WIFI-PASSWORD",

  -- The MQTT broker: a host name or an IP address.
  mqtt_host = "BROKER.EXAMPLE",
  -- mqtt_port = 1883,
  -- mqtt_tls = false,        -- takes about 25 kB of heap; the frames are sealed either way
  -- mqtt_user = nil,
  -- mqtt_password = nil,
  -- mqtt_client_id = nil,    -- default: espseal-<node ID>; no two clients may share one
  -- mqtt_keepalive = 60,     -- in s

  -- Where the readings come in, a topic filter, and where this node publishes session IDs: nobody
  -- else may do so there, so neither a host nor another receiver node.
  topic = "greenhouse/+",
  session_topic = "greenhouse/session",

  -- The keys of the nodes: a string of 16 characters (16 bytes), or {hex = "32 hex digits"}. The
  -- passphrase may have any length. These four are refused.
  keys = {
    iv_key = "CHANGE-ME-iv-key",
    data_key = "CHANGE-ME-data-k",
    static_iv = "CHANGE-ME-static",
    passphrase = "CHANGE-ME-passphrase",
  },
  -- allow_article_keys = false,  -- true: keys that everyone knows, for a first try

  -- Whom to believe: node IDs, in quotes. `nodes` send readings, as the article's devices do;
  -- `peers` send to this node: their config.lua has `to`, the node_id that stands below. If a host
  -- has the same keys, take `peers`: then no reading can be passed off as one for the other.
  nodes = {"11242238"},
  -- peers = nil,
  -- node_id = nil,           -- of this node, for `peers`; default: the chip ID

  -- What to do with a reading: a string, from the node of that ID. Each comes once.
  on_reading = function(node_id, data, topic) print(node_id, data, topic) end,

  -- session_interval = 30,   -- in s; from one session ID to the next
  -- session_life = 120,      -- in s; how long each is good; longer than the interval
  -- session_memory = 64,     -- readings under one session ID, then it ends; 20 bytes each

  -- ack_timeout = 10000,     -- in ms; without an acknowledgement for so long: reconnect
  -- reconnect_min = 1000,    -- in ms; the first pause before another connection, then doubled
  -- reconnect_max = 60000,   -- in ms; the longest
}
