-- The device's key and its counter: every uplink is sealed here, and no counter is used twice (D1
-- to D3 and E4 in src/SEALED.md).
--
--   local state = require("state"){
--     sealed = sealed, record = record, slot = slot,
--     fields = fields, mark = mark,  -- as record.load and record.save give them
--     chunk = 1024,                  -- counters that one write to flash reserves
--   }
--   state.address, state.epoch, state.key, state.keys   -- to be read, never written
--   state.seal(kind, session, plaintext)     -- an uplink frame; or nil, code
--   state.lift(floor)    -- goes on at `floor` or above; whether that was a leap; or nil, code
--   state.passed(frame)  -- whether there was a leap since: a host refuses its counter
--   state.ratchet(epoch) -- true: flash has it; or nil, code
--   state.sleep()        -- before deep sleep: nothing is sealed any more until the next boot
--
-- plaintext may be a function that gets the counter. Codes: storage_failed, counter_exhausted,
-- asleep, and those of sealed.seal.
--
-- Flash holds a ceiling, the last counter that is reserved. After a loss of power, a watchdog's
-- reset or a crash the device goes on above it.

local bytes = require("bytes")

return function(given)
  local sealed, record, slot, fields = given.sealed, given.record, given.slot, given.fields
  local mark = given.mark
  local chunk = bytes.of(given.chunk or 1024, 3)
  local asleep, leap = false, ("\0"):rep(8)

  -- Before the first counter: an old one must not be found after the next reset.
  local last = slot.take(mark) or fields.ceiling

  local state = {
    address = fields.address, epoch = fields.epoch, key = fields.key,
    keys = sealed.keys(fields.key),
  }

  local function save(epoch, key, ceiling)
    local saved, code = record.save({
      address = fields.address, origin = fields.origin, epoch = epoch, key = key,
      ceiling = ceiling,
    }, key ~= fields.key)
    if not saved then return nil, code end
    mark = saved
    fields.epoch, fields.key, fields.ceiling = epoch, key, ceiling
    return true
  end

  -- Has flash hold a ceiling that is not below `counter`: a chunk above `from`.
  local function reserve(counter, from)
    if not bytes.below(fields.ceiling, counter) then return true end
    return save(fields.epoch, fields.key, bytes.add(from, chunk) or ("\255"):rep(8))
  end

  local function take()
    if asleep then return nil, "asleep" end
    local counter = bytes.add(last, "\1")
    if not counter then return nil, "counter_exhausted" end
    local reserved, code = reserve(counter, last)
    if not reserved then return nil, code end
    last = counter
    return counter
  end

  function state.seal(kind, session, plaintext)
    local counter, code = take()
    if not counter then return nil, code end
    return sealed.seal(state.keys.up, {
      kind = kind, epoch = state.epoch, address = state.address, counter = counter,
      session = session or "",
      plaintext = type(plaintext) == "function" and plaintext(counter) or plaintext,
    })
  end

  function state.lift(floor)
    if asleep then return nil, "asleep" end
    local before = bytes.before(floor)
    if not before or not bytes.below(last, before) then return false end
    local reserved, code = reserve(before, before)
    if not reserved then return nil, code end
    last, leap = before, before
    return true
  end

  function state.passed(frame) return not bytes.below(leap, frame:sub(13, 20)) end

  function state.ratchet(epoch)
    local key, reached = fields.key, fields.epoch
    while reached ~= epoch do
      key, reached = sealed.ratchet(key, reached)
    end
    local saved, code = save(epoch, key, fields.ceiling)
    if not saved then return nil, code end
    state.epoch, state.key, state.keys = epoch, key, sealed.keys(key)
    return true
  end

  function state.sleep()
    asleep = true
    return slot.put(mark, last)
  end

  return state
end
