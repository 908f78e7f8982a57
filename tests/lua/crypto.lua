-- NodeMCU's crypto module in plain Lua 5.3, for an interpreter with 32-bit numbers, into which no
-- host function reaches. For tests: slow, and not in constant time. As the module does, it pads
-- with zeros, cuts and extends IVs, and refuses keys that have not 16 bytes.

local function xor(a, b)
  local out = {}
  for at = 1, #a do out[at] = string.char(a:byte(at) ~ b:byte((at - 1) % #b + 1)) end
  return table.concat(out)
end

-- AES (FIPS 197) ----------------------------------------------------------------------------------

local function times2(a) return (a << 1 ~ (a >> 7) * 0x1b) & 0xff end

local function times(a, b)
  local product = 0
  while b > 0 do
    if b & 1 == 1 then product = product ~ a end
    a, b = times2(a), b >> 1
  end
  return product
end

-- 5.1.1: the inverse (a^254), then the affine transformation.
local SBOX, INVERSE = {}, {}
for a = 0, 255 do
  local inverse = 1
  for bit = 7, 0, -1 do
    inverse = times(inverse, inverse)
    if 254 >> bit & 1 == 1 then inverse = times(inverse, a) end
  end
  local b = inverse
  for shift = 1, 4 do b = b ~ (inverse << shift | inverse >> 8 - shift) & 0xff end
  SBOX[a] = b ~ 0x63
  INVERSE[SBOX[a]] = a
end

local TIMES = {}
for _, factor in ipairs{1, 2, 3, 9, 11, 13, 14} do
  TIMES[factor] = {}
  for a = 0, 255 do TIMES[factor][a] = times(a, factor) end
end

local function expand(key)
  local w, rcon = {key:byte(1, 16)}, 1
  for at = 17, 176, 4 do
    local t = {w[at - 4], w[at - 3], w[at - 2], w[at - 1]}
    if at % 16 == 1 then
      t = {SBOX[t[2]] ~ rcon, SBOX[t[3]], SBOX[t[4]], SBOX[t[1]]}
      rcon = times2(rcon)
    end
    for i = 1, 4 do w[at + i - 1] = w[at + i - 17] ~ t[i] end
  end
  return w
end

local function add_round_key(s, w, round)
  for i = 1, 16 do s[i] = s[i] ~ w[16 * round + i] end
end

-- Row r of the state moves by r columns; the box is applied on the way.
local function shift_rows(s, box, direction)
  local out = {}
  for column = 0, 3 do
    for row = 0, 3 do
      out[4 * column + row + 1] = box[s[4 * ((column + direction * row) % 4) + row + 1]]
    end
  end
  return out
end

local function mix_columns(s, factors)
  local out = {}
  for column = 0, 12, 4 do
    for row = 0, 3 do
      local sum = 0
      for i = 0, 3 do sum = sum ~ TIMES[factors[(i - row) % 4 + 1]][s[column + i + 1]] end
      out[column + row + 1] = sum
    end
  end
  return out
end

local FORWARD, BACKWARD = {2, 3, 1, 1}, {14, 11, 13, 9}

local function encrypt_block(w, block)
  local s = {block:byte(1, 16)}
  add_round_key(s, w, 0)
  for round = 1, 10 do
    s = shift_rows(s, SBOX, 1)
    if round < 10 then s = mix_columns(s, FORWARD) end
    add_round_key(s, w, round)
  end
  return string.char(table.unpack(s))
end

local function decrypt_block(w, block)
  local s = {block:byte(1, 16)}
  for round = 10, 1, -1 do
    add_round_key(s, w, round)
    if round < 10 then s = mix_columns(s, BACKWARD) end
    s = shift_rows(s, INVERSE, -1)
  end
  add_round_key(s, w, 0)
  return string.char(table.unpack(s))
end

local function cipher(name, key, text, iv, run)
  assert(name == "AES-ECB" or name == "AES-CBC", "unknown cipher")
  assert(#key == 16, "crypto op failed")
  local w, out = expand(key), {}
  local last = ((iv or "") .. ("\0"):rep(16)):sub(1, 16)
  for at = 1, #text, 16 do
    local block = text:sub(at, at + 15)
    block = block .. ("\0"):rep(16 - #block)
    out[#out + 1], last = run(w, block, name == "AES-CBC" and last)
  end
  return table.concat(out)
end

local function encrypt(name, key, text, iv)
  return cipher(name, key, text, iv, function(w, block, last)
    local result = encrypt_block(w, last and xor(block, last) or block)
    return result, result
  end)
end

local function decrypt(name, key, text, iv)
  return cipher(name, key, text, iv, function(w, block, last)
    local result = decrypt_block(w, block)
    return last and xor(result, last) or result, block
  end)
end

-- SHA-1 and SHA-256 (FIPS 180-4) ------------------------------------------------------------------

local MASK = 0xffffffff -- on 32-bit numbers -1, which masks as little as it should

local function rotate_right(a, n) return (a >> n | a << 32 - n) & MASK end

local K = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
  0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
  0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
  0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
  0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
  0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}
local START = {
  sha1 = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0},
  sha256 = {
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  },
}

local function sha1(h, w)
  for t = 17, 80 do w[t] = rotate_right(w[t - 3] ~ w[t - 8] ~ w[t - 14] ~ w[t - 16], 31) end
  local a, b, c, d, e = table.unpack(h)
  for t = 1, 80 do
    local f, k
    if t <= 20 then
      f, k = b & c ~ ~b & d, 0x5a827999
    elseif t <= 40 then
      f, k = b ~ c ~ d, 0x6ed9eba1
    elseif t <= 60 then
      f, k = b & c ~ b & d ~ c & d, 0x8f1bbcdc
    else
      f, k = b ~ c ~ d, 0xca62c1d6
    end
    local sum = rotate_right(a, 27) + (f & MASK) + e + k + w[t] & MASK
    a, b, c, d, e = sum, a, rotate_right(b, 2), c, d
  end
  return {a, b, c, d, e}
end

local function sha256(h, w)
  for t = 17, 64 do
    local x, y = w[t - 15], w[t - 2]
    local s0 = rotate_right(x, 7) ~ rotate_right(x, 18) ~ x >> 3
    local s1 = rotate_right(y, 17) ~ rotate_right(y, 19) ~ y >> 10
    w[t] = w[t - 16] + s0 + w[t - 7] + s1 & MASK
  end
  local a, b, c, d, e, f, g, i = table.unpack(h)
  for t = 1, 64 do
    local s1 = rotate_right(e, 6) ~ rotate_right(e, 11) ~ rotate_right(e, 25)
    local s0 = rotate_right(a, 2) ~ rotate_right(a, 13) ~ rotate_right(a, 22)
    local t1 = i + s1 + ((e & f ~ ~e & g) & MASK) + K[t] + w[t]
    local t2 = s0 + (a & b ~ a & c ~ b & c)
    a, b, c, d, e, f, g, i = t1 + t2 & MASK, a, b, c, d + t1 & MASK, e, f, g
  end
  return {a, b, c, d, e, f, g, i}
end

local ROUNDS = {sha1 = sha1, sha256 = sha256}

local function hash(name, text)
  name = name:lower()
  local rounds = assert(ROUNDS[name], "unknown hash mech")
  -- No text here is as long as 2^21 bytes: the upper half of the length is zero.
  local padded = text .. "\128" .. ("\0"):rep((55 - #text) % 64) .. (">I4I4"):pack(0, 8 * #text)
  local h = START[name]
  for at = 1, #padded, 64 do
    local w = {}
    for i = 0, 15 do
      local b1, b2, b3, b4 = padded:byte(at + 4 * i, at + 4 * i + 3)
      w[i + 1] = b1 << 24 | b2 << 16 | b3 << 8 | b4
    end
    local sums = rounds(h, w)
    for i = 1, #sums do sums[i] = sums[i] + h[i] & MASK end
    h = sums
  end
  local out = {}
  for i, word in ipairs(h) do
    out[i] = string.char(word >> 24 & 0xff, word >> 16 & 0xff, word >> 8 & 0xff, word & 0xff)
  end
  return table.concat(out)
end

-- RFC 2104.
local function hmac(name, text, key)
  if #key > 64 then key = hash(name, key) end
  key = key .. ("\0"):rep(64 - #key)
  return hash(name, xor(key, "\92") .. hash(name, xor(key, "\54") .. text))
end

return {encrypt = encrypt, decrypt = decrypt, hash = hash, hmac = hmac, mask = xor}
