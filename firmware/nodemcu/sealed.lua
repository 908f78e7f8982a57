-- The sealed frame on a device: its bytes, and the keys that seal and open it. No state.
--
--   local sealed = require("sealed")(crypto)
--   local keys = sealed.keys(device_key)   -- the two frame keys of an epoch: up, down
--   sealed.ratchet(device_key, epoch)      -- those of the epoch after; nil: it was the last
--   sealed.session(device_key, counter, beacon, random)   -- 16 bytes, for the hello of the counter
--   sealed.seal(keys.up, {                 -- a frame, or nil, code
--     kind = sealed.DATA,                  -- or HELLO, CONTROL
--     downlink = false,
--     epoch = "\0\0", address = ..., counter = ...,   -- 2, 8 and 8 bytes
--     session = "",                        -- or 16 bytes: bound to it
--     context = nil,                       -- what both ends know beside that; devices have none
--     plaintext = ...,
--   })
--   sealed.parse(frame)                    -- a table of the same fields, unverified, with `bound`
--                                          -- for the session; or nil, "malformed"
--   sealed.open(keys.down, parsed, sessions, context)   -- plaintext, index of the session; or nil
--
-- Codes of seal: invalid_data, invalid_counter, invalid_kind, session_required, frame_too_long.

local bytes = require("bytes")

local FRAME_BYTES_MAX, HEADER_BYTES, TAG_BYTES = 16384, 20, 16
local MAGIC, ZERO = "\245", ("\0"):rep(8)
local DATA, HELLO, CONTROL = 0, 4, 8 -- as they stand in the flags

return function(crypto)
  local siv = require("siv")(crypto)

  local function keys(device_key)
    return {
      up = siv.key(siv.expand(device_key, "uplink")),
      down = siv.key(siv.expand(device_key, "downlink")),
    }
  end

  local function ratchet(device_key, epoch)
    local after = bytes.add(epoch, "\1")
    if after then return siv.expand(device_key, "ratchet"), after end
    return nil
  end

  local function derive_session(device_key, counter, beacon, random)
    return siv.expand(device_key, "session" .. counter .. beacon .. random):sub(1, 16)
  end

  -- S1 to S5.
  local function seal(key, frame)
    local session, plaintext = frame.session, frame.plaintext
    if type(plaintext) ~= "string" then return nil, "invalid_data" end
    if frame.counter == ZERO then return nil, "invalid_counter" end
    if frame.kind == HELLO and frame.downlink then return nil, "invalid_kind" end
    if frame.kind == CONTROL and session == "" then return nil, "session_required" end
    if #plaintext > FRAME_BYTES_MAX - HEADER_BYTES - TAG_BYTES then
      return nil, "frame_too_long"
    end
    local flags = frame.kind + (session ~= "" and 2 or 0) + (frame.downlink and 1 or 0)
    local header = MAGIC .. string.char(flags) .. frame.epoch .. frame.address .. frame.counter
    return header .. table.concat({siv.seal(key, header, session, frame.context or "", plaintext)})
  end

  -- O2 to O4.
  local function parse(frame)
    -- NodeMCU's mqtt hands an empty payload over as nil.
    if type(frame) ~= "string" or #frame < HEADER_BYTES + TAG_BYTES or #frame > FRAME_BYTES_MAX
      or frame:sub(1, 1) ~= MAGIC then
      return nil, "malformed"
    end
    local flags = frame:byte(2)
    local kind, bound, downlink = flags - flags % 4, flags % 4 > 1, flags % 2 == 1
    if kind > CONTROL or kind == HELLO and downlink or kind == CONTROL and not bound
      or frame:sub(13, 20) == ZERO then
      return nil, "malformed"
    end
    return {
      kind = kind, bound = bound, downlink = downlink, epoch = frame:sub(3, 4),
      address = frame:sub(5, 12), counter = frame:sub(13, 20), header = frame:sub(1, 20),
      v = frame:sub(21, 36), ciphertext = frame:sub(37),
    }
  end

  -- O6 to O8.
  local function open(key, parsed, sessions, context)
    return siv.open(
      key, parsed.header, parsed.bound and sessions or {""}, context or "", parsed.v,
      parsed.ciphertext)
  end

  return {
    DATA = DATA, HELLO = HELLO, CONTROL = CONTROL,
    keys = keys, ratchet = ratchet, session = derive_session, seal = seal, parse = parse,
    open = open,
  }
end
