-- The sessions under which this device takes downlinks, and the verdict on each (O5 to O9, H5 and
-- C1 in src/SEALED.md). In RAM alone: after a reset nothing opens that was sealed before.
--
--   local sessions = require("sessions"){sealed = sealed, state = state, now = tmr.time}
--   sessions.draw(id, commands)  -- 16 bytes, for a hello; whether it may take commands
--   sessions.newest()            -- the one drawn last: {id, commands, welcomed}, or nil
--   sessions.welcome(id)         -- its welcome is acknowledged; true: it was not before
--   sessions.open(frame)         -- a verdict; of what is fresh, or the last one again, a message:
--                                -- {plaintext, v, session; name, body of a control frame}
--
-- Verdicts: malformed, wrong_direction, unknown_device, wrong_epoch, forged, stale_session,
-- replayed, duplicate, fresh.

local bytes, control = require("bytes"), require("control")

-- Seconds from the drawing of a session to the end of those before, if no command under it comes
-- sooner. Welcomed or not: who holds back the hello must not keep alive a command that he holds
-- back as well.
local OVERLAP = 60
-- Sessions that are kept; and ended ones, to tell what is late from what is forged.
local KEPT, ENDED_KEPT = 4, 4
local ZERO = ("\0"):rep(8)

return function(given)
  local sealed, state, now = given.sealed, given.state, given.now
  local live = {}  -- {id, commands, welcomed, head, v, ends}, the newest first
  local ended = {} -- IDs, the oldest first

  -- Ends those behind the first so many.
  local function keep(count)
    while #live > count do
      ended[#ended + 1] = table.remove(live).id
      if #ended > ENDED_KEPT then table.remove(ended, 1) end
    end
  end

  local function expire()
    while live[2] and now() >= live[#live].ends do keep(#live - 1) end
  end

  -- O7 to O9: plaintext and the place of its session among the live; or nil, verdict.
  local function verify(parsed)
    local ids = {}
    for _, session in ipairs(live) do ids[#ids + 1] = session.id end
    for _, id in ipairs(ended) do ids[#ids + 1] = id end
    local plaintext, index = sealed.open(state.keys.down, parsed, ids)
    if not plaintext then return nil, "forged" end
    if not parsed.bound or index > #live then return nil, "stale_session" end
    return plaintext, index
  end

  local function open(frame)
    local parsed = sealed.parse(frame)
    if not parsed then return "malformed" end
    if not parsed.downlink then return "wrong_direction" end
    if parsed.address ~= state.address then return "unknown_device" end
    if parsed.epoch ~= state.epoch then return "wrong_epoch" end
    expire()
    local plaintext, index = verify(parsed)
    if not plaintext then return index end

    local session = live[index]
    local message = {plaintext = plaintext, v = parsed.v, session = session.id}
    if parsed.kind == sealed.CONTROL then
      message.name, message.body = control.parse(plaintext)
      message.name = message.name or "unknown"
    end
    local obeys = session.commands and session.welcomed
    if not obeys and message.name ~= "welcome" then return "stale_session" end

    -- C1. No window: a withheld "unlock" must not open after a later "lock".
    if parsed.counter == session.head then
      return "duplicate", parsed.v == session.v and message or nil
    end
    if bytes.below(parsed.counter, session.head) then return "replayed" end
    session.head, session.v = parsed.counter, parsed.v
    if message.name ~= "welcome" then keep(index) end
    return "fresh", message
  end

  return {
    open = open,
    newest = function() return live[1] end,
    draw = function(id, commands)
      expire()
      if live[1] then live[1].ends = now() + OVERLAP end
      table.insert(live, 1, {id = id, commands = commands, head = ZERO})
      keep(KEPT)
    end,
    welcome = function(id)
      for _, session in ipairs(live) do
        if session.id == id then
          local first = not session.welcomed
          session.welcomed = true
          return first
        end
      end
    end,
  }
end
