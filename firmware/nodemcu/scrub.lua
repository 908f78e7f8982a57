-- Takes the device key out of config.lua once a ratchet has left it behind: from the key of an
-- epoch follow all later ones. Whoever reads the flash must not find it.
--
--   require("scrub")(file)   -- whether no line of config.lua holds a device_key any more
--
-- A power cut leaves config.lua as it was, or config.new whole: setup_sealed.lua then takes that.

local OLD, NEW = "config.lua", "config.new"

return function(file)
  local from, to = file.open(OLD, "r"), file.open(NEW, "w")
  local written = from and to
  local found = 0
  while written do
    local line = from:readline()
    if not line then break end
    local text, count = line:gsub("(device_key%s*=%s*)([\"'])%x+%2", "%1nil")
    found = found + count
    written = to:write(text)
  end
  if written then to:flush() end
  if from then from:close() end
  if to then to:close() end
  if not written or found == 0 then
    file.remove(NEW)
    return false
  end
  file.remove(OLD)
  return file.rename(NEW, OLD)
end
