-- How main.lua and receiver.lua begin: config.lua, and the frame under its keys.
--
--   local config, espseal, node_id = require("setup")("config.example.lua", {"topic", ...})
--
-- Says why on the serial port and returns nothing if the node cannot go on. The fields named are
-- required, beside those that every program needs.

return function(example, fields)
  local function stop(why) print("stopped: " .. why) end

  if not file.exists("config.lua") then return stop("no config.lua: see " .. example) end
  local config = dofile("config.lua")

  for _, field in ipairs{"wifi_ssid", "mqtt_host", "topic", "session_topic"} do
    fields[#fields + 1] = field
  end
  for _, field in ipairs(fields) do
    if config[field] == nil then
      return stop("missing_field (" .. field .. "): see " .. example)
    end
  end

  local module = require("espseal")
  local espseal, code, field = module.new{
    crypto = crypto, node = node, store = file, keys = config.keys, layout = config.layout,
    allow_article_keys = config.allow_article_keys,
  }
  if not espseal then
    stop(code .. " (" .. field .. ")")
    if code == "article_keys" then
      print("this key is printed in the article and known to everyone: draw new keys")
    elseif code == "placeholder_keys" then
      print("this key is the example's: put your keys in config.lua")
    end
    return
  end

  local node_id = config.node_id or tostring(node.chipid())
  if not module.node_field(node_id, config.to) then
    stop("invalid_node_id (" .. (config.to and "to" or "node_id") .. ")")
    if config.to then print("`node_id` and `to` have at most 14 bytes together") end
    return
  end
  -- Only what makes keys ready is left of it, which nobody needs a second time.
  package.loaded.espseal = nil
  print("node ID " .. node_id)
  return config, espseal, node_id
end
