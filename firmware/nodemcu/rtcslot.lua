-- The counter across deep sleep, in RTC memory: 128 words that outlive it, not a loss of power.
--
--   local slot = require("rtcslot")(rtcmem, crypto)   -- rtcmem may be nil: a build without it
--   slot.take(mark)           -- the counter that was put under this mark, or nil; gone in any case
--   slot.put(mark, counter)   -- true, or false: it did not take
--
-- The mark is that of the record in flash that the counter belongs to. Words 0 to 31 belong to the
-- firmware's updates; these are the last eight, two bytes in each.

local bytes = require("bytes")

local FIRST, WORDS = 120, 8

return function(rtcmem, crypto)
  local function seal(mark, counter)
    return counter .. crypto.hash("SHA256", "espseal counter" .. mark .. counter):sub(1, 8)
  end

  local function read()
    local text = ""
    for at = FIRST, FIRST + WORDS - 1 do
      local word = rtcmem.read32(at)
      -- Anything, after a loss of power.
      if word < 0 or word > 65535 then return nil end
      text = text .. bytes.of(word, 2)
    end
    return text
  end

  local function write(text)
    for at = 0, WORDS - 1 do
      rtcmem.write32(FIRST + at, bytes.number(text:sub(2 * at + 1)))
    end
    return read() == text
  end

  return {
    take = function(mark)
      if not rtcmem then return nil end
      local text = read()
      local counter = text and text:sub(1, 8)
      if not write(("\0"):rep(2 * WORDS)) or not text or text ~= seal(mark, counter) then
        return nil
      end
      return counter
    end,
    put = function(mark, counter)
      return rtcmem ~= nil and write(seal(mark, counter))
    end,
  }
end
