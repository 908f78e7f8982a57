-- Starts the program that config.lua is for after three seconds: time to end a boot loop on the
-- serial port.

local SEALED, CLASSIC = {"main_sealed"}, {"main", "receiver"}

local function start(names)
  for _, name in ipairs(names) do
    -- .lc: compiled before the upload, where memory is short.
    for _, ending in ipairs{".lc", ".lua"} do
      if file.exists(name .. ending) then
        dofile(name .. ending)
        return true
      end
    end
  end
end

boot = tmr.create()
boot:alarm(3000, tmr.ALARM_SINGLE, function()
  boot = nil
  -- config.new: the power went while config.lua was written anew. What is wrong with either, the
  -- program says.
  local found, config = pcall(dofile, file.exists("config.lua") and "config.lua" or "config.new")
  if found and type(config) == "table" and config.address then
    return start(SEALED) or start(CLASSIC)
  end
  return start(CLASSIC) or start(SEALED)
end)
print("starting in 3 s; boot:stop() prevents it")
