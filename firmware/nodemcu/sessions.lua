-- The sessions under which this device takes downlinks, and the verdict on each (O5 to O9, H5 and
-- C1 in src/SEALED.md). In RAM alone: after a reset nothing opens that was sealed before.
--
--   local sessions = require("sessions"){
--     sealed = sealed, state = state, now = tmr.time,
--     life = 1260,               -- s, after which a session ends that no other has followed
--   }
--   sessions.offer(id, commands) -- 16 bytes, for a hello; whether it may take commands
--   sessions.offered()           -- that one, until it is adopted: {id, commands}
--   sessions.adopt(id)           -- its welcome is acknowledged: it is the current one
--   sessions.current()           -- {id, commands}, or nil
--   sessions.open(frame)         -- a verdict; of what is fresh, or the last one again, a message:
--                                -- {plaintext, v, session; name, body of a control frame}
--
-- Verdicts: malformed, wrong_direction, unknown_device, wrong_epoch, forged, stale_session,
-- replayed, duplicate, fresh.

local bytes, control = require("bytes"), require("control")

-- From the adoption of a session to the end of the one before, in s, if no command comes sooner.
local OVERLAP = 60
-- Ended sessions that are kept, to tell what is late from what is forged.
local ENDED_KEPT = 4
local ZERO = ("\0"):rep(8)

return function(given)
  local sealed, state, now = given.sealed, given.state, given.now
  local offered, current, previous -- {id, commands, head, v, ends}
  local ended = {}                 -- IDs, the oldest first

  local function finish(session)
    if not session then return end
    ended[#ended + 1] = session.id
    if #ended > ENDED_KEPT then table.remove(ended, 1) end
  end

  local function expire()
    if previous and now() >= previous.ends then
      finish(previous)
      previous = nil
    end
    -- Who holds back welcomes must not keep alive a command that he holds back as well.
    if current and now() >= current.ends then
      finish(current)
      current = nil
    end
  end

  -- O7 to O9: plaintext and the live session, or nil, verdict.
  local function verify(parsed)
    local live, ids = {}, {}
    for _, session in ipairs{offered or false, current or false, previous or false} do
      if session then
        live[#live + 1], ids[#ids + 1] = session, session.id
      end
    end
    for _, id in ipairs(ended) do ids[#ids + 1] = id end
    local plaintext, index = sealed.open(state.keys.down, parsed, ids)
    if not plaintext then return nil, "forged" end
    local session = parsed.bound and live[index]
    if not session then return nil, "stale_session" end
    return plaintext, session
  end

  local function open(frame)
    local parsed = sealed.parse(frame)
    if not parsed then return "malformed" end
    if not parsed.downlink then return "wrong_direction" end
    if parsed.address ~= state.address then return "unknown_device" end
    if parsed.epoch ~= state.epoch then return "wrong_epoch" end
    expire()
    local plaintext, session = verify(parsed)
    if not plaintext then return session end

    local message = {plaintext = plaintext, v = parsed.v, session = session.id}
    if parsed.kind == sealed.CONTROL then
      message.name, message.body = control.parse(plaintext)
      message.name = message.name or "unknown"
    end
    local obeys = session.commands and session ~= offered
    if not obeys and message.name ~= "welcome" then return "stale_session" end

    -- C1. No window: a withheld "unlock" must not open after a later "lock".
    if parsed.counter == session.head then
      return "duplicate", parsed.v == session.v and message or nil
    end
    if bytes.below(parsed.counter, session.head) then return "replayed" end
    session.head, session.v = parsed.counter, parsed.v
    if previous and session == current and message.name ~= "welcome" then
      finish(previous)
      previous = nil
    end
    return "fresh", message
  end

  return {
    open = open,
    offer = function(id, commands)
      finish(offered)
      offered = {id = id, commands = commands, head = ZERO}
    end,
    offered = function() return offered end,
    adopt = function(id)
      if not offered or offered.id ~= id then return end
      finish(previous)
      previous, current, offered = current, offered, nil
      current.ends = now() + given.life
      if previous then previous.ends = now() + OVERLAP end
    end,
    current = function()
      expire()
      return current
    end,
  }
end
