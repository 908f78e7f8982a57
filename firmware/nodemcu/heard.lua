-- The session ID that a host publishes, as this node heard it.
--
--   local heard = require("heard"){
--     settle = 1000,            -- in ms
--     max_age = 60,             -- in s
--     settled = function() end, -- there is another one
--   }
--   heard.take(id)              -- it came on the session's topic
--   heard.current()             -- the ID and when it was first heard; or nil, and whether there is
--                               -- one that is too old
--   heard.alive(at)             -- whether one that was first heard then may still be used
--
-- The topic is in the clear and a node cannot verify an ID. The host answers a false one with its
-- own again, at once: so an ID counts when it has stood for a moment, and a false one costs time
-- instead of a reading. Only the first time an ID is heard counts for its age: the broker delivers
-- the retained one anew at every connection. An ID lives 120 s at the host; one that has been here
-- for longer than max_age may have died there, and what is sealed under it would be refused.

return function(given)
  local session, session_at
  local candidate, candidate_at -- one that was heard and has not yet stood its time
  local settle = tmr.create()

  local function alive(at) return tmr.time() - at <= given.max_age end

  settle:register(given.settle, tmr.ALARM_SEMI, function()
    session, session_at, candidate = candidate, candidate_at, nil
    given.settled()
  end)

  return {
    alive = alive,
    current = function()
      if session and alive(session_at) then return session, session_at end
      return nil, session ~= nil
    end,
    take = function(id)
      if id == session then
        candidate = nil
        settle:stop()
      elseif id ~= candidate then
        candidate, candidate_at = id, tmr.time()
        settle:stop()
        settle:start()
      end
    end,
  }
end
