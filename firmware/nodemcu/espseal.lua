-- The classic frame on a device: seal and open. The steps cited (S1, O5) are those of
-- src/CLASSIC.md.
--
--   local espseal, code = require("espseal").new{
--     crypto = crypto, node = node, store = file,  -- NodeMCU's own modules
--     keys = {iv_key = ..., data_key = ..., static_iv = ..., passphrase = ...},
--     layout = "hex",                -- or "raw": what seal makes; open takes both
--     allow_article_keys = false,    -- true: also keys that everyone knows
--     danger_accept_replays = false, -- true: also the empty session
--   }
--   espseal.radio_up()                                  -- once there is an IP address
--   espseal.seal(node_id, data, session)                -- frame, or nil, code
--   espseal.seal(node_id, data, session, to)            -- the same for the node `to`
--   espseal.open(frame, session or {session, ...})      -- node_id, data, session, or nil, verdict
--   espseal.draw_session()                              -- 32 hex digits, or nil, code
--
-- open takes readings alone. What takes commands and messages to this node, commands.lua and
-- pool.lua, builds on open_field, which gives the node field as it is, and the MAC as fourth.
--
-- A key is a string of its bytes, {text = "..."} for the same, or {hex = "..."}. The classic
-- frame keeps no state: nothing here uses `store` yet, the sealed frame's counter will.
--
-- Codes of new:  missing_field, invalid_value, wrong_key_length, article_keys, placeholder_keys;
--                a third value names the field.
-- Codes of seal: invalid_node_id, invalid_data, data_ends_in_nul, no_session, session_required,
--                frame_too_long, radio_down.
-- Code of draw_session: radio_down.
-- Verdicts of open: malformed, forged, wrong_direction.
--
-- It runs on integer, double and 32-bit builds of Lua 5.1 and 5.3: no division (a float on 5.3),
-- no bit operators (not in 5.1), no number above 2^24 (a 32-bit float holds no larger integer).

local FRAME_BYTES_MAX = 2048
local NODE_BYTES_MAX = 15

local function to_hex(bytes)
  -- crypto.toHex left NodeMCU in 2020, and encoder is off in its default build.
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local function from_hex(digits)
  return (digits:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

local function is_session(session, allow_empty)
  return type(session) == "string" and (session ~= "" or allow_empty)
end

local function is_node_id(id)
  return type(id) == "string" and id ~= "" and not id:find("[%z>]")
end

-- S1. What the frame says of who speaks to whom: a reading of a node, or its message to another;
-- nil if an ID is none, or the field is too long.
local function node_field(node_id, to)
  if not is_node_id(node_id) or not (to == nil or is_node_id(to)) then return nil end
  local field = to and node_id .. ">" .. to or node_id
  return #field <= NODE_BYTES_MAX and field or nil
end

-- A loop, not a pattern: "(.-)%z*$" takes quadratic time on data that a sender chose.
local function strip_nuls(padded)
  local length = #padded
  while length > 0 and padded:byte(length) == 0 do length = length - 1 end
  return padded:sub(1, length)
end

-- O7: looks at every byte whatever the first ones say. At most 20 * 255 * 255, below 2^24.
local function same_mac(a, b)
  local difference = #a - #b
  difference = difference * difference
  for i = 1, #a do
    local d = a:byte(i) - (b:byte(i) or 0)
    difference = difference + d * d
  end
  return difference == 0
end

-- Keys ------------------------------------------------------------------------------------------

local FIELDS = {"iv_key", "data_key", "static_iv", "passphrase"}

local ARTICLE = {
  iv_key = "2345678901abcdef",
  data_key = "0123456789abcdef",
  static_iv = "abcdef2345678901",
  passphrase = "mypassphrase",
}

local function key_bytes(value)
  if type(value) == "table" then
    if type(value.text) == "string" then return value.text end
    local digits = value.hex
    if type(digits) ~= "string" or #digits % 2 ~= 0 or digits:find("%X") then return nil end
    return from_hex(digits)
  end
  return type(value) == "string" and value or nil
end

-- The four keys as bytes, or nil, code, field.
local function read_keys(given, allow_known)
  local keys = {}
  for _, field in ipairs(FIELDS) do
    if given == nil or given[field] == nil then return nil, "missing_field", field end
    local key = key_bytes(given[field])
    if not key then return nil, "invalid_value", field end
    if field == "passphrase" then
      if key == "" then return nil, "wrong_key_length", field end
    -- NodeMCU's AES is AES-128 only: 24 and 32 bytes, which the format allows, raise here.
    elseif #key ~= 16 then
      return nil, "wrong_key_length", field
    end
    if not allow_known then
      if key == ARTICLE[field] then return nil, "article_keys", field end
      if key:find("CHANGE-ME", 1, true) then return nil, "placeholder_keys", field end
    end
    keys[field] = key
  end
  return keys
end

-- Parsing ---------------------------------------------------------------------------------------

-- The four fields as bytes, or nil: it is no frame (O1 to O3).
local function parse(frame)
  -- NodeMCU's mqtt hands an empty payload over as nil.
  if type(frame) ~= "string" or #frame > FRAME_BYTES_MAX then return nil end
  local length = #frame
  -- Raw by position, for commas inside the ciphertext mean nothing: 16 , 16 , 16m , 40 digits.
  if length >= 75 and length % 16 == 11 and frame:byte(17) == 44 and frame:byte(34) == 44
    and frame:byte(length - 40) == 44 and not frame:find("%X", length - 39) then
    return frame:sub(1, 16), frame:sub(18, 33), frame:sub(35, length - 41),
      from_hex(frame:sub(length - 39))
  end
  local iv, node_id, data, mac = frame:match("^(%x*),(%x*),(%x*),(%x*)$")
  if not iv or #iv ~= 32 or #node_id % 32 ~= 0 or #data % 32 ~= 0 or #mac ~= 40 then
    return nil
  end
  return from_hex(iv), from_hex(node_id), from_hex(data), from_hex(mac)
end

-- The constructor -------------------------------------------------------------------------------

local function new(given)
  local crypto, node = given.crypto, given.node
  local keys, code, field = read_keys(given.keys, given.allow_article_keys)
  if not keys then return nil, code, field end
  local layout = given.layout or "hex"
  if layout ~= "hex" and layout ~= "raw" then return nil, "invalid_value", "layout" end
  local allow_empty = given.danger_accept_replays
  local radio = false

  -- Never called with nothing: the allocator of some builds has no block of 0 bytes to give.
  local function cipher(operation, key, text, iv)
    return text == "" and "" or operation("AES-CBC", key, text, iv)
  end

  -- S2. The article prints two numbers as %8x: hex digits, or spaces in front. Sixteen digits are
  -- among what it can print, and a receiver takes them as they are. A digit is the low half of a
  -- draw of its own: 0 to 255 holds each digit exactly 16 times, so % keeps the draw uniform, and
  -- the high half would take a division. Larger ranges raise, or are biased, on some builds.
  local function draw_iv()
    local iv = {}
    for i = 1, 16 do
      local digit = node.random(0, 255) % 16 + 1
      iv[i] = ("0123456789abcdef"):sub(digit, digit)
    end
    return table.concat(iv)
  end

  local function mac_of(who, iv, data, session)
    return crypto.hmac("sha1", who .. iv .. data .. session, keys.passphrase)
  end

  -- A session for others to seal under: 16 bytes, each from a draw of its own.
  local function draw_session()
    if not radio then return nil, "radio_down" end
    local digits = {}
    for i = 1, 16 do digits[i] = ("%02x"):format(node.random(0, 255)) end
    return table.concat(digits)
  end

  -- The frame, its IV given: for test vectors. A caller who chooses IVs breaks the scheme.
  local function danger_seal_with_iv(node_id, data, session, iv, to)
    local who = node_field(node_id, to)
    if not who then return nil, "invalid_node_id" end
    if type(data) ~= "string" then return nil, "invalid_data" end
    if data:byte(-1) == 0 then return nil, "data_ends_in_nul" end
    if session == nil then return nil, "no_session" end
    if not is_session(session, allow_empty) then return nil, "session_required" end
    -- S6, before any work: the frame is 75 bytes and the padded data, or 107 and twice that.
    local padded = #data + (16 - #data % 16) % 16
    if (layout == "raw" and 75 + padded or 107 + 2 * padded) > FRAME_BYTES_MAX then
      return nil, "frame_too_long"
    end
    if not iv then
      -- S2: with the radio off the hardware repeats the same numbers after every reset.
      if not radio then return nil, "radio_down" end
      iv = draw_iv()
    end
    local encrypt, form = crypto.encrypt, layout == "raw" and tostring or to_hex
    return table.concat({
      form(cipher(encrypt, keys.iv_key, iv, keys.static_iv)), -- S3
      form(cipher(encrypt, keys.data_key, who, iv)), -- S4
      form(cipher(encrypt, keys.data_key, data, iv)),
      to_hex(mac_of(who, iv, data, session)), -- S5
    }, ",")
  end

  -- O1 to O7.
  local function open_field(frame, sessions)
    local enc_iv, enc_node, enc_data, mac = parse(frame)
    if not enc_iv then return nil, "malformed" end
    if type(sessions) ~= "table" then sessions = {sessions} end
    -- O4, O5
    local iv = cipher(crypto.decrypt, keys.iv_key, enc_iv, keys.static_iv)
    local who = strip_nuls(cipher(crypto.decrypt, keys.data_key, enc_node, iv))
    local data = strip_nuls(cipher(crypto.decrypt, keys.data_key, enc_data, iv))
    -- O6: one MAC for each session, also after one that fits.
    local verified
    for _, session in ipairs(sessions) do
      if is_session(session, allow_empty)
        and same_mac(mac_of(who, iv, data, session), mac) then
        verified = session
      end
    end
    if not verified then return nil, "forged" end -- O7: whatever it was that did not fit
    return who, data, verified, mac
  end

  local function open(frame, sessions)
    local node_id, data, session = open_field(frame, sessions)
    if not node_id then return nil, data end
    if node_id:find(">", 1, true) then return nil, "wrong_direction" end -- O8
    return node_id, data, session
  end

  return {
    radio_up = function() radio = true end,
    seal = function(node_id, data, session, to)
      return danger_seal_with_iv(node_id, data, session, nil, to)
    end,
    danger_seal_with_iv = danger_seal_with_iv,
    open = open,
    open_field = open_field,
    draw_session = draw_session,
  }
end

return {new = new, node_field = node_field, to_hex = to_hex, from_hex = from_hex}
