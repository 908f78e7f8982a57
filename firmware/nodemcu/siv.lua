-- AES-SIV-CMAC-256 (RFC 5297) over the three components of a sealed frame, and HKDF (RFC 5869),
-- on NodeMCU's AES-ECB, AES-CBC and HMAC.
--
--   local siv = require("siv")(crypto)
--   local key = siv.key(bytes)       -- of 32 bytes: the CMAC key, the CTR key
--   siv.seal(key, header, session, context, plaintext)       -- V, C
--   siv.open(key, header, sessions, context, v, ciphertext)  -- plaintext, index of the session
--                                                            -- that fits; or nil
--   siv.expand(prk, info)            -- HKDF-Expand with SHA-256: 32 bytes
--
-- The header has 20 bytes. A key keeps what stays the same from frame to frame, so that another
-- frame under the same session takes one AES call for its header, one for S2V, one for CTR.

local bytes = require("bytes")

local unpack = table.unpack or unpack -- luacheck: ignore
local ZERO = ("\0"):rep(16)

-- dbl of RFC 5297, 2.3: times x in GF(2^128).
local function double(block)
  local out, carry = {}, 0
  for at = 16, 1, -1 do
    local twice = block:byte(at) * 2 + carry
    carry = twice > 255 and 1 or 0
    out[at] = twice - 256 * carry
  end
  if carry == 1 then
    -- XOR 0x87, bit by bit; the lowest one is 0 after doubling.
    local low = out[16]
    out[16] = low + 1 + (low % 4 < 2 and 2 or -2) + (low % 8 < 4 and 4 or -4)
      + (low < 128 and 128 or -128)
  end
  return string.char(unpack(out))
end

-- pad of RFC 5297, 2.4.
local function pad(text)
  return text .. "\128" .. ZERO:sub(#text + 2)
end

return function(crypto)
  local encrypt, decrypt = crypto.encrypt, crypto.decrypt

  -- AES in CBC gives it away: what is decrypted is XORed with the block before.
  local function xor_by_aes(a, b)
    local parts = {}
    for at = 1, #a, 16 do
      local block = encrypt("AES-ECB", ZERO, a:sub(at, at + 15))
      parts[#parts + 1] = decrypt("AES-CBC", ZERO, block, b:sub(at, at + 15))
    end
    return table.concat(parts):sub(1, #a)
  end

  -- Builds before 2016-12 take the first 4 bytes of the mask for all, and say nothing.
  local xor = crypto.mask
  local probe = "\0\1\2\3\4\5\6\7\127\128\191\223\239\247\253\255"
  if not xor or xor(probe, probe:reverse()) ~= xor_by_aes(probe, probe:reverse()) then
    xor = xor_by_aes
  end

  -- Of more than one block, with the last one padded (10*) and XORed with k2, or XORed with k1.
  local function cmac(key, text)
    local at = #text - #text % 16
    if at == #text and at > 0 then at = at - 16 end
    local last = text:sub(at + 1)
    last = #last == 16 and xor(last, key.k1) or xor(pad(last), key.k2)
    return encrypt("AES-CBC", key.mac, text:sub(1, at) .. last):sub(-16)
  end

  local function key(secret)
    local made = {mac = secret:sub(1, 16), ctr = secret:sub(17)}
    made.k1 = double(encrypt("AES-ECB", made.mac, ZERO))
    made.k2 = double(made.k1)
    made.empty = cmac(made, "")
    made.start = double(double(double(cmac(made, ZERO))))
    return made
  end

  -- S2V is linear in what comes before the plaintext: with the header first,
  -- D = dbl^3(CMAC(0)) xor dbl^2(CMAC(header)) xor dbl(CMAC(session)) xor CMAC(context).
  local function constant_part(k, session, context)
    if k.session ~= session or k.context ~= context then
      local mac = session == "" and k.empty or cmac(k, session)
      local sum = xor(k.start, double(mac))
      k.sum = xor(sum, context == "" and k.empty or cmac(k, context))
      k.session, k.context = session, context
    end
    return k.sum
  end

  -- dbl^2(CMAC(header)). Its first 16 bytes stay the same over 2^32 frames; XOR with k2 is done
  -- with them, for CBC does the rest.
  local function header_part(k, header)
    local first = header:sub(1, 16)
    if k.first ~= first then
      k.first, k.chained = first, xor(encrypt("AES-ECB", k.mac, first), k.k2)
    end
    return double(double(encrypt("AES-CBC", k.mac, pad(header:sub(17)), k.chained)))
  end

  -- The rest of S2V: V.
  local function close(k, header_mac, session, context, plaintext)
    local d = xor(constant_part(k, session, context), header_mac)
    if #plaintext < 16 then return cmac(k, xor(pad(plaintext), double(d))) end
    return cmac(k, plaintext:sub(1, -17) .. xor(plaintext:sub(-16), d))
  end

  -- CTR from V with bits 31 and 63 cleared.
  local function ctr(k, v, text)
    if text == "" then return "" end
    local block = v:sub(1, 8) .. string.char(v:byte(9) % 128) .. v:sub(10, 12)
      .. string.char(v:byte(13) % 128) .. v:sub(14)
    local blocks = {block}
    for _ = 17, #text, 16 do
      block = bytes.add(block, "\1")
      blocks[#blocks + 1] = block
    end
    return xor(text, encrypt("AES-ECB", k.ctr, table.concat(blocks)):sub(1, #text))
  end

  return {
    key = key,
    seal = function(k, header, session, context, plaintext)
      local v = close(k, header_part(k, header), session, context, plaintext)
      return v, ctr(k, v, plaintext)
    end,
    open = function(k, header, sessions, context, v, ciphertext)
      local plaintext = ctr(k, v, ciphertext)
      local mac = header_part(k, header)
      for index, session in ipairs(sessions) do
        if bytes.same(close(k, mac, session, context, plaintext), v) then
          return plaintext, index
        end
      end
      return nil
    end,
    expand = function(prk, info) return crypto.hmac("SHA256", info .. "\1", prk) end,
  }
end
