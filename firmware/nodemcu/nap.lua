-- Deep sleep between two readings; GPIO16 wired to RST wakes the chip. Needed only where config.lua
-- has `sleep`.
--
--   require("nap"){
--     config = config, state = state,
--     idle = function() end,   -- whether nothing waits to be sent
--   }
--
-- It sleeps when it was idle for `listen`, the time in which a host can tell it something, and
-- after `awake` in any case: a broker that is away must not empty the battery.

local TICK = 100

return function(given)
  local config = given.config
  local listen, awake = config.listen or 1000, config.awake or 30000
  local up, quiet = 0, 0

  local timer = tmr.create()
  timer:alarm(TICK, tmr.ALARM_AUTO, function()
    up = up + TICK
    quiet = given.idle() and quiet + TICK or 0
    if quiet < listen and up < awake then return end
    timer:stop()
    -- RTC memory gets the counter; from here on nothing is sealed.
    if not given.state.sleep() then
      print("no RTC memory: the next boot writes to flash")
    end
    print("sleeping for " .. config.sleep .. " ms")
    node.dsleep(config.sleep * 1000)
  end)
end
