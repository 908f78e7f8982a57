-- Keeps a session ID on a topic: retained, so that who comes later finds it, and put back when
-- someone writes over it, for the topic is in the clear (rule I2 of src/CLASSIC.md).
--
--   local notice = require("notice")(link, topic, current, stats)
--   notice.connected()     -- a new connection: publish it again; call before subscribing to it
--   notice.show()          -- publishes if there is something new; true: it did
--   notice.heard(payload)  -- what came on the topic
--
-- current() gives the ID that the topic should show, or nil while there is none.

-- At most so often is a false ID answered, in ms: a flood must not become two.
local ANSWER = 100

return function(link, topic, current, stats)
  local shown -- what the broker was given, unless someone wrote over it
  local answer = tmr.create()

  stats.shown, stats.false_sessions = 0, 0

  local function show()
    local session = current()
    if not session or session == shown or not link.ready() then return false end
    if not link.publish(topic, session, 1, 1, function() end) then
      print("session topic refused: too long")
      return false
    end
    -- Not once it is acknowledged: what is heard until then came after it.
    shown = session
    stats.shown = stats.shown + 1
    return true
  end

  answer:register(ANSWER, tmr.ALARM_SEMI, function()
    shown = nil
    show()
  end)
  -- IDs end by the clock, too.
  tmr.create():alarm(1000, tmr.ALARM_AUTO, show)

  return {
    show = show,
    connected = function()
      shown = nil
      show()
    end,
    heard = function(payload)
      if payload == shown then return end
      stats.false_sessions = stats.false_sessions + 1
      print("a false session ID: answered")
      answer:start()
    end,
  }
end
