-- The sessions under which this device takes downlinks, and the verdict on each: in RAM alone, so
-- that after a reset nothing opens that was sealed before.
--
--   local sessions = require("sessions"){
--     sealed = sealed, state = state, now = tmr.time,
--     life = 1260,            -- seconds after which a session ends that no other has followed
--   }
--   sessions.rekey()                   -- the state has another key
--   sessions.offer(id, commands)       -- 16 bytes that a hello shows; commands: whether it takes any
--   sessions.offered()                 -- that one, while no welcome came: {id, commands}, or nil
--   sessions.adopt()                   -- the welcome is acknowledged: now it is the current one
--   sessions.current()                 -- {id, commands}, or nil
--   sessions.open(frame)               -- a verdict, and of fresh and duplicate frames
--                                      -- {kind, plaintext, v, session, offered}
--
-- Verdicts: malformed, wrong_direction, unknown_device, wrong_epoch, forged, stale_session,
-- replayed, duplicate, fresh.
--
-- Under each session the counter must rise: there is no window, for a withheld "unlock" must not
-- open after a later "lock".

local bytes = require("bytes")

-- Seconds from the adoption of a session to the end of the one before, if no command comes sooner.
local OVERLAP = 60
-- Ended sessions that are kept, to tell what is late from what is forged.
local ENDED_KEPT = 4
local ZERO = ("\0"):rep(8)
local WELCOME = 3

return function(given)
  local sealed, state, now = given.sealed, given.state, given.now
  local offered, current, previous -- {id, commands, head, v, ends}
  local ended = {}                 -- IDs, the oldest first
  local key

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
    -- Who holds back welcomes must not keep a command alive that he holds back as well.
    if current and now() >= current.ends then
      finish(current)
      current = nil
    end
  end

  local function open(frame)
    local parsed = sealed.parse(frame)
    if not parsed then return "malformed" end
    if not parsed.downlink then return "wrong_direction" end
    if parsed.address ~= state.address then return "unknown_device" end
    if parsed.epoch ~= state.epoch then return "wrong_epoch" end

    expire()
    local live, ids = {}, {}
    for _, session in pairs{offered or false, current or false, previous or false} do
      if session then
        live[#live + 1] = session
        ids[#ids + 1] = session.id
      end
    end
    for _, id in ipairs(ended) do ids[#ids + 1] = id end
    key = key or sealed.keys(state.key).down
    local plaintext, index = sealed.open(key, parsed, ids)
    if not plaintext then return "forged" end

    local session = parsed.bound and live[index]
    if not session then return "stale_session" end
    local welcome = parsed.kind == sealed.CONTROL and plaintext:byte(1) == WELCOME
    if not welcome and (session == offered or not session.commands) then return "stale_session" end

    local message = {
      kind = parsed.kind, plaintext = plaintext, v = parsed.v, session = session.id,
      offered = session == offered,
    }
    if parsed.counter == session.head then
      return "duplicate", parsed.v == session.v and message or nil
    end
    if bytes.below(parsed.counter, session.head) then return "replayed" end
    session.head, session.v = parsed.counter, parsed.v
    if not welcome and session == current and previous then
      finish(previous)
      previous = nil
    end
    return "fresh", message
  end

  return {
    open = open,
    rekey = function() key = nil end,
    offer = function(id, commands)
      offered = {id = id, commands = commands, head = ZERO}
    end,
    adopt = function()
      finish(previous)
      previous, current, offered = current, offered, nil
      current.ends = now() + given.life
      if previous then previous.ends = now() + OVERLAP end
    end,
    offered = function() return offered end,
    current = function()
      expire()
      return current
    end,
  }
end
