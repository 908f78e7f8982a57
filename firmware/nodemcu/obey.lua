-- Acts on what the host sends to this device, and acknowledges it (H5, E4 and C1 in
-- src/SEALED.md).
--
--   local obey = require("obey"){
--     config = config, state = state, sealed = sealed, sessions = sessions, stats = stats,
--     lane = lane,                 -- where answers wait to be sent
--     welcomed = function() end,   -- the host has a session of this device
--     ratcheted = function() end,  -- the key is another one
--   }
--   obey(frame)                    -- what came on the topic `down`

local bytes, control = require("bytes"), require("control")

-- A host believes no frame of an epoch that is further ahead.
local EPOCHS_AHEAD = 3

return function(given)
  local config, state, sealed = given.config, given.state, given.sealed
  local sessions, stats, lane = given.sessions, given.stats, given.lane
  local waiting = {} -- V of what is being acknowledged

  for _, verdict in ipairs{
    "fresh", "duplicate", "replayed", "stale_session", "forged", "wrong_epoch", "unknown_device",
    "wrong_direction", "malformed",
  } do
    stats[verdict] = 0
  end
  stats.commands, stats.command_errors, stats.ignored, stats.welcomes = 0, 0, 0, 0

  -- Sealed when it goes out: after a ratchet under the new epoch.
  local function answer(message, name, body, more)
    local item = more or {}
    item.seal = function()
      return state.seal(sealed.CONTROL, message.session, control.make(name, body))
    end
    lane.add(item)
  end

  local function acknowledge(message, handed)
    if waiting[message.v] then return end
    waiting[message.v] = true
    answer(message, "ack", message.v, {
      handed = handed,
      done = function() waiting[message.v] = nil end,
    })
  end

  -- An error in a callback would restart the node.
  local function call(name, ...)
    local done, result = pcall(config[name], ...)
    if done then return result end
    stats.command_errors = stats.command_errors + 1
    print(name .. " failed: " .. tostring(result))
  end

  local function command(message, verdict)
    if not config.on_command then
      print("a command, and config.lua has no on_command")
      return
    end
    if verdict == "fresh" then
      stats.commands = stats.commands + 1
      print("command, " .. #message.plaintext .. " bytes")
      call("on_command", message.plaintext)
    end
    acknowledge(message)
  end

  local function mode(message)
    local wanted = message.body ~= "" and message.body:byte() or nil
    acknowledge(message)
    answer(message, "mode", string.char(config.on_mode and call("on_mode", wanted) or 0))
  end

  -- All of these may come again: the acknowledgement was lost, or flash failed.
  local controls = {query_mode = mode, set_mode = mode}

  function controls.welcome(message)
    local leap, code = state.lift(message.body)
    if leap == nil then
      print("welcome not taken: " .. code)
      return
    end
    stats.welcomes = stats.welcomes + 1
    print(leap and "welcome, further up" or "welcome")
    acknowledge(message, function()
      if sessions.welcome(message.session) then given.welcomed() end
    end)
  end

  function controls.ratchet(message)
    local target = message.body
    if bytes.below(state.epoch, target) then
      local most = bytes.add(state.epoch, bytes.of(EPOCHS_AHEAD, 2))
      if most and bytes.below(most, target) then
        print("ratchet refused: more than " .. EPOCHS_AHEAD .. " epochs ahead")
        return
      end
      local done, code = state.ratchet(target)
      if not done then
        print("ratchet not taken: " .. code)
        return
      end
      print("epoch " .. bytes.number(target))
      given.ratcheted()
    end
    acknowledge(message)
  end

  return function(frame)
    local verdict, message = sessions.open(frame)
    stats[verdict] = stats[verdict] + 1
    if verdict ~= "fresh" then print("refused a frame: " .. verdict) end
    if not message then return end
    if not message.name then
      command(message, verdict)
    elseif controls[message.name] then
      controls[message.name](message)
    else
      stats.ignored = stats.ignored + 1
    end
  end
end
