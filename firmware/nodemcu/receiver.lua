-- A receiver: a node that publishes the session IDs for other nodes, and opens what they send.
-- Upload it in place of main.lua. What is done with a reading, and everything else that can be
-- chosen, stands in config.lua (see receiver.config.example.lua); the frame in espseal.lua, the
-- sessions in pool.lua, the connection in link.lua.

-- luacheck: globals stats

-- Counts since boot; global, for a look from the serial port: for k, v in pairs(stats) do ...
-- The verdicts, and what became of sessions and callbacks.
stats = {
  fresh = 0, duplicate = 0, stale_session = 0, unknown_device = 0, wrong_direction = 0,
  forged = 0, malformed = 0, reading_errors = 0,
}

-- What runs once need not stay in the heap.
local function once(name)
  local module = require(name)
  package.loaded[name] = nil
  return module
end

local EXAMPLE = "receiver.config.example.lua"
local config, espseal, node_id = once("setup")(EXAMPLE, {"on_reading"})
if not config then return end

local pool, code, field = once("pool").new{
  espseal = espseal, crypto = crypto, node_id = node_id, now = tmr.time,
  nodes = config.nodes, peers = config.peers, interval = config.session_interval,
  life = config.session_life, memory = config.session_memory,
}
if not pool then
  print("stopped: " .. code .. " (" .. field .. "): see " .. EXAMPLE)
  return
end

local link, notice

local function receive(topic, payload)
  local from, data = pool.open(payload)
  if from then
    stats.fresh = stats.fresh + 1
    print("fresh, " .. #data .. " bytes from " .. from)
    -- An error in a callback would restart the node, and end every session.
    local done, problem = pcall(config.on_reading, from, data, topic)
    if not done then
      stats.reading_errors = stats.reading_errors + 1
      print("on_reading failed: " .. tostring(problem))
    end
  else
    stats[data] = stats[data] + 1
    -- Whoever publishes chooses the topic's name, and it goes to a terminal.
    print(data .. ", " .. #(payload or "") .. " bytes on " .. topic:gsub("%c", "?"))
  end
  -- That may have been the last frame that its session takes.
  notice.show()
end

link = once("link")(config, node_id, stats, {
  radio_up = espseal.radio_up,
  connected = function()
    notice.connected()
    -- QoS 1: then the broker waits with the next ones while this node is slow.
    local topics = {[config.session_topic] = 0, [config.topic] = 1}
    link.subscribe(topics, function() print("mqtt: listening for readings") end)
  end,
  ready = function() notice.show() end,
  heard = function(topic, payload)
    if topic == config.session_topic then
      notice.heard(payload)
    else
      receive(topic, payload)
    end
  end,
})
notice = once("notice")(link, config.session_topic, pool.current, stats)
