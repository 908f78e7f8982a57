-- How main_sealed.lua begins: config.lua, and the device's key and counters out of flash.
--
--   local config, parts = require("setup_sealed")()
--
-- parts is what state.lua takes. Says why on the serial port
-- and returns nothing if the device cannot go on.
--
-- The key of config.lua counts once: at the first boot it goes into the record, which the ratchet
-- then carries on. Another key, or one of a higher epoch, is a device that was provisioned anew; it
-- goes on with the counters that it has.

local bytes = require("bytes")

local EXAMPLE = "sealed.config.example.lua"
local ZERO = ("\0"):rep(8)

local function stop(why) print("stopped: " .. why) end

-- config.lua; what scrub.lua left if the power went between its last two steps.
local function read_config()
  if not file.exists("config.lua") and file.exists("config.new") then
    file.rename("config.new", "config.lua")
  end
  if not file.exists("config.lua") then return stop("no config.lua: see " .. EXAMPLE) end
  file.remove("config.new")
  return dofile("config.lua")
end

local function is_hex(text, length)
  return type(text) == "string" and #text == length and not text:find("%X")
end

-- The name of a field that cannot be as it is, and what is wrong.
local function problem(config)
  for _, field in ipairs{"wifi_ssid", "mqtt_host", "address", "sensor"} do
    if config[field] == nil then return field, "missing_field" end
  end
  if not is_hex(config.address, 16) then return "address", "invalid_value" end
  if config.device_key ~= nil and not is_hex(config.device_key, 64) then
    local example = tostring(config.device_key):find("CHANGE-ME", 1, true)
    return "device_key", example and "placeholder_keys" or "invalid_value"
  end
  local epoch = config.epoch or 0
  if type(epoch) ~= "number" or epoch < 0 or epoch > 65535 or epoch % 1 ~= 0 then
    return "epoch", "invalid_value"
  end
  for field, most in pairs{
    interval = 6870947, hold = 6870947, hello_min = 6870947, hello_max = 6870947,
    hello_interval = 6870, sleep = 2147483, reserve = 65536,
  } do
    local value = config[field]
    if value ~= nil and (type(value) ~= "number" or value < 1 or value > most) then
      return field, "invalid_value"
    end
  end
end

-- The record that holds from now on, and its mark; or nil, code.
local function settle(config, address, crypto, record)
  local fields, mark = record.load()
  if fields and fields.address ~= address then fields = nil end
  local epoch = bytes.of(config.epoch or 0, 2)
  local key = config.device_key and bytes.unhex(config.device_key)
  if not key then
    if not fields then return nil, "missing_field (device_key)" end
    return fields, mark
  end
  local origin = crypto.hmac("SHA256", "espseal origin", key):sub(1, 8)
  if fields and fields.origin == origin and not bytes.below(fields.epoch, epoch) then
    if fields.key ~= key and not require("scrub")(file) then
      print("config.lua still holds the first key: take the line device_key out")
    end
    return fields, mark
  end
  print(fields and "provisioned anew" or "provisioned")
  fields = {
    address = address, origin = origin, epoch = epoch, key = key,
    ceiling = fields and fields.ceiling or ZERO,
  }
  mark = record.save(fields, true)
  if not mark then return nil, "storage_failed" end
  return fields, mark
end

return function()
  local config = read_config()
  if not config then return end
  local field, code = problem(config)
  if field then return stop(code .. " (" .. field .. "): see " .. EXAMPLE) end

  local digits = config.address:lower()
  local record = require("record")(file, crypto)
  local fields, mark = settle(config, bytes.unhex(digits), crypto, record)
  if not fields then return stop(mark) end
  config.device_key = nil

  for _, name in ipairs{"up", "hello", "down"} do
    config[name .. "_topic"] = config[name .. "_topic"] or "espseal/" .. digits .. "/" .. name
  end
  config.address = digits
  print("address " .. digits .. ", epoch " .. bytes.number(fields.epoch))
  local parts = {
    sealed = require("sealed")(crypto), record = record,
    slot = require("rtcslot")(rtcmem, crypto), fields = fields, mark = mark,
    chunk = config.reserve,
  }
  -- What makes them need not stay in the heap.
  for _, name in ipairs{"record", "rtcslot", "scrub", "sealed", "siv"} do
    package.loaded[name] = nil
  end
  return config, parts
end
