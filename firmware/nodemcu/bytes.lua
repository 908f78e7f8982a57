-- Numbers as byte strings, the highest byte first: a counter has 64 bits, and the numbers of some
-- builds of Lua are exact to 24 only (see espseal.lua; no division and no bit operators here
-- either).
--
--   local bytes = require("bytes")
--   bytes.add(a, b)         -- a + b, as long as a; nil: it does not fit. b is no longer than a
--   bytes.before(a)         -- a - 1; nil: a is zero
--   bytes.below(a, b)       -- whether a < b; both of one length
--   bytes.of(n, length)     -- a whole number from 0 to 2^24 in so many bytes
--   bytes.number(a)         -- the number in 2 bytes
--   bytes.same(a, b)        -- whether they are equal; looks at every byte whatever the first are
--   bytes.hex(a), bytes.unhex(digits)
--
-- Lua's own < would ask the locale.

local char = string.char

local function unhex(digits)
  return (digits:gsub("%x%x", function(pair) return char(tonumber(pair, 16)) end))
end

local function add(a, b)
  local at, shift, carry, tail = #a, #b - #a, 0, ""
  while carry > 0 or at + shift > 0 do
    if at == 0 then return nil end
    local sum = a:byte(at) + (at + shift > 0 and b:byte(at + shift) or 0) + carry
    carry = sum > 255 and 1 or 0
    tail = char(sum % 256) .. tail
    at = at - 1
  end
  return a:sub(1, at) .. tail
end

local function before(a)
  local head, zeros = a:match("^(.-)(%z*)$")
  if head == "" then return nil end
  return head:sub(1, -2) .. char(head:byte(-1) - 1) .. ("\255"):rep(#zeros)
end

local function below(a, b)
  for at = 1, #a do
    local x, y = a:byte(at, at), b:byte(at, at)
    if x ~= y then return x < y end
  end
  return false
end

local function of(n, length)
  return unhex(("%0" .. 2 * length .. "x"):format(n))
end

local function number(a)
  return a:byte(1) * 256 + a:byte(2)
end

-- At most 32 * 255 * 255, below 2^24.
local function same(a, b)
  local difference = #a - #b
  difference = difference * difference
  for at = 1, #a do
    local d = a:byte(at) - (b:byte(at) or 0)
    difference = difference + d * d
  end
  return difference == 0
end

local function hex(a)
  return (a:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

return {
  add = add, before = before, below = below, of = of, number = number, same = same, hex = hex,
  unhex = unhex,
}
