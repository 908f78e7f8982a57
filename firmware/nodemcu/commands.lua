-- Commands to this node: they come under sessions that the node drew, each good for one (Commands
-- in src/CLASSIC.md). Needed only where config.lua has on_command.
--
--   local commands = require("commands").new{
--     espseal = espseal, node_id = node_id,
--     peers = {"7"},             -- nodes whose messages to this one it takes as well; default none
--     now = tmr.time, interval = 60,
--   }
--   commands.current()           -- the session to show; another one once it is used, or `interval`
--                                -- seconds old; or nil, code
--   commands.open(frame)         -- data, and who: nil for the host; or nil, verdict
--
-- Code of current:  radio_down.
-- Verdicts of open: malformed, forged, wrong_direction, unknown_device, duplicate, stale_session.
--
-- serve{...} does all this on MQTT, as config.lua says.

-- Used sessions that are kept, to tell a repeated command from a forged one. It is refused either
-- way.
local USED_KEPT = 4

local function contains(list, value)
  for _, each in ipairs(list) do
    if each == value then return true end
  end
  return false
end

local function new(given)
  local espseal, node_id, now = given.espseal, given.node_id, given.now
  local interval, peers = given.interval or 60, given.peers

  local sessions = {} -- in the order in which they were drawn
  local mac_of = {}   -- of those that are used: the MAC of the frame that did
  local newest, drawn_at

  local function current()
    -- Also without a command: one that was lost on its way has used up the session at the host,
    -- which then waits for the next.
    if not newest or now() - drawn_at >= interval then
      local session, code = espseal.draw_session()
      if not session then return nil, code end
      newest, drawn_at = session, now()
      sessions[#sessions + 1] = session
      -- The one before may still come: a command on its way. One drawn before that would let a
      -- command that was held back be obeyed for ever.
      local old = #sessions - 2
      if old > 0 and not mac_of[sessions[old]] then table.remove(sessions, old) end
    end
    return newest
  end

  local function open(frame)
    local who, data, session, mac = espseal.open_field(frame, sessions)
    if not who then return nil, data end
    -- O8: a reading of this node, which came back to it, or a command to another.
    local from, to = who:match("^([^>]*)>(.*)$")
    if to ~= node_id then return nil, "wrong_direction" end
    if from ~= "" then
      -- Who sends to this node may have been shown its command session by anyone.
      if not peers then return nil, "wrong_direction" end
      if not contains(peers, from) then return nil, "unknown_device" end
    end
    local before = mac_of[session]
    if before then return nil, before == mac and "duplicate" or "stale_session" end
    mac_of[session] = mac
    if session == newest then newest = nil end
    local used = 0
    for i = #sessions, 1, -1 do
      if mac_of[sessions[i]] then
        used = used + 1
        if used > USED_KEPT then mac_of[table.remove(sessions, i)] = nil end
      end
    end
    return data, from ~= "" and from or nil
  end

  return {current = current, open = open}
end

-- Acts on commands: `config`, `espseal`, `node_id`, `link` and `stats` are main.lua's.
local function serve(given)
  local config, link, stats = given.config, given.link, given.stats
  local command_topic, session_topic = config.command_topic, config.command_session_topic
  local commands = new{
    espseal = given.espseal, node_id = given.node_id, peers = config.peers,
    now = tmr.time, interval = config.command_session_interval,
  }
  local notice = require("notice")(link, session_topic, commands.current, stats)
  package.loaded.notice = nil -- it runs once

  stats.commands, stats.commands_refused, stats.command_errors = 0, 0, 0

  local function obey(frame)
    local data, from = commands.open(frame)
    if not data then
      stats.commands_refused = stats.commands_refused + 1
      print("refused a command: " .. from)
      return
    end
    stats.commands = stats.commands + 1
    print("command, " .. #data .. " bytes")
    -- An error in a callback would restart the node.
    local done, problem = pcall(config.on_command, data, from)
    if not done then
      stats.command_errors = stats.command_errors + 1
      print("on_command failed: " .. tostring(problem))
    end
    notice.show()
  end

  return {
    show = notice.show,
    connected = notice.connected,
    -- Adds its topics to what is subscribed to. QoS 0: the broker keeps nothing for a node that
    -- is away, and acknowledgements would queue behind readings.
    add_topics = function(topics)
      topics[session_topic], topics[command_topic] = 0, 0
    end,
    heard = function(topic, payload)
      if topic == session_topic then
        notice.heard(payload)
      elseif topic == command_topic then
        obey(payload)
      end
    end,
  }
end

return {new = new, serve = serve}
