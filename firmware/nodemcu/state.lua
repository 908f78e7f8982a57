-- The device's key and its counter: what a seal takes, so that no counter is ever used twice.
--
--   local state, code = require("state"){
--     record = record, slot = slot,
--     fields = fields, mark = mark,  -- as record.load and record.save give them
--     chunk = 1024,                  -- counters that one write to flash reserves
--   }
--   state.address, state.epoch, state.key      -- bytes; read them, write never
--   state.take()               -- the next counter; or nil, code
--   state.lift(floor)          -- goes on at `floor` or above: whether that was a leap; or nil, code
--   state.renew(epoch, key)    -- true: flash has it; or nil, code
--   state.sleep()              -- before deep sleep: no counter any more until the next boot
--
-- Codes: storage_failed, counter_exhausted, asleep.
--
-- Flash holds a ceiling, the last counter that is reserved. After a loss of power, a watchdog's
-- reset or a crash the device goes on above it.

local bytes = require("bytes")

return function(given)
  local record, slot, fields, mark = given.record, given.slot, given.fields, given.mark
  local chunk = bytes.of(given.chunk or 1024, 3)
  local asleep = false

  -- Before the first counter: an old one must not be found after the next reset.
  local last = slot.take(mark) or fields.ceiling

  local state = {address = fields.address, epoch = fields.epoch, key = fields.key}

  local function save(epoch, key, ceiling)
    local saved, code = record.save({
      address = fields.address, origin = fields.origin, epoch = epoch, key = key,
      ceiling = ceiling,
    }, key ~= fields.key)
    if not saved then return nil, code end
    mark = saved
    fields.epoch, fields.key, fields.ceiling = epoch, key, ceiling
    state.epoch, state.key = epoch, key
    return true
  end

  -- Reserves a chunk above `counter`, unless it lies below the ceiling.
  local function reserve(counter)
    if not bytes.below(fields.ceiling, counter) then return true end
    return save(fields.epoch, fields.key, bytes.add(counter, chunk) or ("\255"):rep(8))
  end

  function state.take()
    if asleep then return nil, "asleep" end
    local counter = bytes.add(last, "\1")
    if not counter then return nil, "counter_exhausted" end
    local reserved, code = reserve(counter)
    if not reserved then return nil, code end
    last = counter
    return counter
  end

  function state.lift(floor)
    if asleep then return nil, "asleep" end
    local before = bytes.before(floor)
    if not before or not bytes.below(last, before) then return false end
    local reserved, code = reserve(before)
    if not reserved then return nil, code end
    last = before
    return true
  end

  function state.renew(epoch, key) return save(epoch, key, fields.ceiling) end

  function state.sleep()
    asleep = true
    return slot.put(mark, last)
  end

  return state
end
