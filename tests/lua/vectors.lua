-- Runs the shared test vectors against espseal.lua, commands.lua and pool.lua. Called with the
-- modules to inject:
--
--   local run = dofile("vectors.lua")
--   run{crypto = crypto, node = node}(text)
--     -> executed, failures (lines), out of reach (lines: how many, and why)
--
-- A record is lines of "key: value", records are separated by blank lines, "#" starts a comment,
-- bytes are in hex.

local module, commands, pool = require("espseal"), require("commands"), require("pool")

local WORDS = {
  name = true, about = true, layout = true, data_mode = true, mac_over = true, expect = true,
  direction = true, danger_accept_replays = true, reason = true, offset = true,
}

local function parse(text)
  local records, record = {}, nil
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    local key, value = line:match("^([%w_]+):%s?(.*)$")
    if line == "" then
      record = nil
    elseif key then
      if not record then
        record = {}
        records[#records + 1] = record
      end
      record[key] = WORDS[key] and value or module.from_hex(value)
    else
      assert(line:sub(1, 1) == "#", "no vector: " .. line)
    end
  end
  return records
end

-- A refusal to seal has no frame; a frame to refuse has one, be it empty.
local function is_sealing(record)
  return record.expect == "sealed" or record.frame == "" and not record.reason
end

-- Why a device cannot take part, or nil.
local function out_of_reach(record)
  if record.layout == "port" then return "layout port belongs to another firmware" end
  if record.data_mode ~= "text" then return "binary data is between other senders and the host" end
  if record.mac_over ~= "unpadded" then return "padded MACs are made by other senders" end
  if #record.iv_key ~= 16 or #record.data_key ~= 16 then return "NodeMCU has AES-128 only" end
  if record.direction == "command" and is_sealing(record) then
    return "commands are made by the host"
  end
  return nil
end

local function seal(espseal, record)
  local from, to = record.node_id, nil
  -- Without a direction a ">" is a node ID that must be refused.
  if record.direction == "peer" then from, to = record.node_id:match("^([^>]*)>(.*)$") end
  local frame, code = espseal.danger_seal_with_iv(
    from, record.data, record.session, record.iv, to)
  if record.expect == "sealed" then
    return frame == record.frame, code or module.to_hex(frame)
  end
  return frame == nil and code == record.expect, code or "sealed"
end

local function open(espseal, record)
  local node_id, data, session = espseal.open(record.frame, {"another session", record.session})
  if record.expect == "fresh" then
    local right = node_id == record.node_id and data == record.data and session == record.session
    return right, node_id and "opened to something else" or data
  end
  return node_id == nil and data == record.expect, node_id and "opened" or data
end

-- A generator whose next session is this one: nobody can give a node the session that it draws.
local function that_draws(session)
  local bytes, at = module.from_hex(session), 0
  assert(module.to_hex(bytes) == session, "no session that a node draws")
  return {random = function()
    at = at % #bytes + 1
    return bytes:byte(at)
  end}
end

-- What comes to this node, by the modules that a node uses for it.
local function receive(espseal, record, crypto)
  espseal.radio_up()
  local data, from
  local to, expected = record.expected_node_id, record.node_id:match("^([^>]*)>")
  if record.direction == "command" then
    local taker = commands.new{
      espseal = espseal, node_id = to, now = function() return 0 end,
    }
    assert(taker.current() == record.session)
    data, from = taker.open(record.frame)
    expected = nil
  else
    local taker = assert(pool.new{
      espseal = espseal, crypto = crypto, node_id = to, now = function() return 0 end,
      peers = {expected ~= "" and expected or "nobody"},
    })
    assert(taker.current() == record.session)
    from, data = taker.open(record.frame)
    if not from then from, data = data, nil end
  end
  if record.expect == "fresh" then
    return data == record.data and from == expected, data and "opened to something else" or from
  end
  return data == nil and from == record.expect, data and "opened" or from
end

return function(modules)
  return function(text)
    local executed, failures, skipped = 0, {}, {}
    for _, record in ipairs(parse(text)) do
      local reason = out_of_reach(record)
      if reason then
        skipped[reason] = (skipped[reason] or 0) + 1
      else
        local directed = record.direction == "command" or record.direction == "peer"
        local espseal = assert(module.new{
          crypto = modules.crypto,
          node = directed and not is_sealing(record) and that_draws(record.session)
            or modules.node,
          keys = {
            iv_key = record.iv_key, data_key = record.data_key,
            static_iv = record.static_iv, passphrase = record.passphrase,
          },
          layout = record.layout,
          allow_article_keys = true,
          danger_accept_replays = record.danger_accept_replays == "true",
        })
        local check = is_sealing(record) and seal or directed and receive or open
        local right, got = check(espseal, record, modules.crypto)
        executed = executed + 1
        if not right then
          failures[#failures + 1] = record.name .. ": " .. record.expect .. ", not " .. got
        end
      end
    end
    local reasons = {}
    for reason, count in pairs(skipped) do reasons[#reasons + 1] = count .. ": " .. reason end
    table.sort(reasons)
    return executed, table.concat(failures, "\n"), table.concat(reasons, "\n")
  end
end
