-- Starts the program that config.lua is for after three seconds: time to end a boot loop on the
-- serial port. Programs and modules lie in the file system, or in the Lua Flash Store (LFS), where
-- they take no heap; what is in both is taken from the file system.

local SEALED, CLASSIC = {"main_sealed"}, {"main", "receiver"}

-- A module in LFS, or nil. Of a name that is not there, and of an LFS that is not loaded, it says
-- where LFS lies.
local function in_flash(name)
  if not node.flashindex then return nil end
  local found, base = node.flashindex(name)
  return not base and found or nil
end

local searchers = package.loaders or package.searchers
searchers[#searchers + 1] = function(name)
  return in_flash(name) or "\n\tno module in LFS"
end

local function start(names)
  for _, name in ipairs(names) do
    -- .lc: compiled before the upload.
    for _, ending in ipairs{".lc", ".lua"} do
      if file.exists(name .. ending) then
        dofile(name .. ending)
        return true
      end
    end
    local program = in_flash(name)
    if program then
      program()
      return true
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
