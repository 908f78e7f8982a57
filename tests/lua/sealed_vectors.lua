-- Runs the shared vectors of the sealed frame against the firmware's modules.
--
--   local run = dofile("sealed_vectors.lua")
--   run{crypto = crypto}(text)
--       -> executed, failures (lines), out of reach (lines: how many, and why)
--
-- The kind of a record shows in its fields. See vectors.lua for the grammar.

local bytes, control = require("bytes"), require("control")

local WORDS = {
  name = true, about = true, expect = true, direction = true, kind = true, form = true,
  derive = true, opcode = true, counters = true, epoch = true, steps = true, components = true,
  plaintext_repeat = true, frame_repeat = true, frame_length = true, reason = true, offset = true,
  head_after = true,
}
local BYTES = {
  "fleet_key", "device_key", "address", "session", "context", "counter", "plaintext",
  "plaintext_byte", "frame", "frame_start", "frame_end", "frame_byte", "armor", "uplink_key",
  "downlink_key", "ratcheted", "beacon", "random", "key", "first", "second", "third", "sealed",
  "tag", "floor", "mode", "version",
}
for _, name in ipairs(BYTES) do WORDS[name] = false end

local function parse(text)
  local records, record = {}, nil
  for line in text:gmatch("([^\n]*)\n") do
    local key, value = line:match("^([%w_]+): ?(.*)$")
    if line == "" then
      record = nil
    elseif key then
      assert(WORDS[key] ~= nil, "an unknown field: " .. key)
      if not record then
        record = {}
        records[#records + 1] = record
      end
      -- The target of a ratchet is a number; armor is text.
      record[key] = (WORDS[key] or key == "armor") and value or bytes.unhex(value)
    else
      assert(line:sub(1, 1) == "#", "no vector: " .. line)
    end
  end
  return records
end

return function(modules)
  local crypto = modules.crypto
  local sealed, siv = require("sealed")(crypto), require("siv")(crypto)
  local KINDS = {data = sealed.DATA, hello = sealed.HELLO, control = sealed.CONTROL}

  local function side(record) return record.direction == "uplink" and "up" or "down" end

  local function epoch_bytes(record) return bytes.of(tonumber(record.epoch), 2) end

  -- The host's part: a device never sees the key of its fleet.
  local function device_key(record)
    if not record.fleet_key then return record.device_key end
    local prk = crypto.hmac("SHA256", record.fleet_key, "espseal/1")
    local key, epoch = siv.expand(prk, "device" .. record.address), "\0\0"
    while epoch ~= epoch_bytes(record) do key, epoch = sealed.ratchet(key, epoch) end
    return key
  end

  local function plaintext(record)
    if not record.plaintext_byte then return record.plaintext end
    return record.plaintext_byte:rep(tonumber(record.plaintext_repeat))
  end

  local check = {}

  function check.seal(record)
    local frame, code = sealed.seal(sealed.keys(device_key(record))[side(record)], {
      kind = KINDS[record.kind], downlink = record.direction == "downlink",
      epoch = epoch_bytes(record), address = record.address, counter = record.counter,
      session = record.session, context = record.context, plaintext = plaintext(record),
    })
    if record.expect ~= "sealed" then return not frame and code == record.expect, code end
    if not frame then return false, code end
    if record.frame_length then
      return #frame == tonumber(record.frame_length) and frame:sub(1, 52) == record.frame_start
        and frame:sub(-16) == record.frame_end, "another frame"
    end
    return frame == record.frame, bytes.hex(frame)
  end

  function check.open(record)
    local parsed, code = sealed.parse(record.frame)
    if not parsed then return false, code end
    local text = sealed.open(
      sealed.keys(record.device_key)[side(record)], parsed,
      {("another session."), record.session}, record.context)
    return text == plaintext(record) and parsed.kind == KINDS[record.kind]
      and parsed.downlink == (record.direction == "downlink")
      and parsed.bound == (record.session ~= "") and parsed.epoch == epoch_bytes(record)
      and parsed.address == record.address and parsed.counter == record.counter,
      text and "opened to something else" or "forged"
  end

  -- As a device judges what comes: by its sessions.
  local function judge(record, frame)
    local parsed = sealed.parse(frame)
    local state = {keys = sealed.keys(record.device_key)}
    if parsed then state.address, state.epoch = parsed.address, parsed.epoch end
    local sessions = require("sessions"){
      sealed = sealed, state = state, now = function() return 0 end,
    }
    if record.session ~= "" then
      sessions.draw(record.session, true)
      sessions.welcome(record.session)
    end
    return (sessions.open(frame))
  end

  function check.reject(record)
    local frame = record.frame
    if record.frame_repeat then
      frame = frame .. record.frame_byte:rep(tonumber(record.frame_repeat))
    end
    local verdict
    if record.direction == "downlink" and record.context == "" then
      verdict = judge(record, frame)
    else
      local parsed, code = sealed.parse(frame)
      local keys = sealed.keys(record.device_key)
      verdict = code or parsed.downlink ~= (record.direction == "downlink") and "wrong_direction"
        or sealed.open(keys[side(record)], parsed, {record.session}, record.context) and "opened"
        or "forged"
    end
    return verdict == record.expect, verdict
  end

  function check.ratchet(record)
    local key, epoch = record.device_key, epoch_bytes(record)
    for _ = 1, tonumber(record.steps) do
      if epoch then key, epoch = sealed.ratchet(key, epoch) end
    end
    if not epoch then return record.expect == "epoch_exhausted", "epoch_exhausted" end
    return record.expect == "derived" and key == record.ratcheted, "another key"
  end

  function check.frame_keys(record)
    return siv.expand(record.device_key, "uplink") == record.uplink_key
      and siv.expand(record.device_key, "downlink") == record.downlink_key, "other keys"
  end

  function check.session(record)
    return record.session == sealed.session(
      record.device_key, record.counter, record.beacon, record.random), "another session"
  end

  function check.siv(record)
    local key = siv.key(record.key)
    local v, text = record.sealed:sub(1, 16), record.sealed:sub(17)
    local opened = siv.open(key, record.first, {record.second}, record.third, v, text)
    if record.expect == "invalid" then return opened == nil, "opened" end
    local tag, ciphertext = siv.seal(
      key, record.first, record.second, record.third, record.plaintext)
    return opened == record.plaintext and tag .. ciphertext == record.sealed, "another result"
  end

  local LAST = {
    ratchet = function(r) return bytes.of(tonumber(r.epoch), 2) end,
    ack = function(r) return r.tag end, welcome = function(r) return r.floor end,
    query_mode = function() return "" end, set_mode = function(r) return r.mode end,
    mode = function(r) return r.mode end,
  }

  function check.control(record)
    local name, body = control.parse(record.plaintext)
    if record.expect == "ignored" then return name == nil, name end
    local right = LAST[record.opcode](record)
    return name == record.opcode and body == right
      and control.make(name, body) == record.plaintext, name or "ignored"
  end

  -- The counters come in frames that a host seals.
  function check.head(record)
    local key, address = ("k"):rep(32), "8 bytes."
    local keys, number, session, head = sealed.keys(key), 0, nil, nil
    local sessions = require("sessions"){
      sealed = sealed, state = {keys = keys, address = address, epoch = "\0\0"},
      now = function() return 0 end,
    }
    local verdicts = {}
    local function next_session()
      number, head = number + 1, nil
      session = ("session %08d"):format(number)
      sessions.draw(session, true)
      sessions.welcome(session)
    end
    next_session()
    for word in record.counters:gmatch("%S+") do
      if word == "session" then
        next_session()
        verdicts[#verdicts + 1] = "-"
      else
        local verdict, message = sessions.open((assert(sealed.seal(keys.down, {
          kind = sealed.DATA, downlink = true, epoch = "\0\0", address = address,
          counter = bytes.unhex(word), session = session, plaintext = "go",
        }))))
        if verdict == "fresh" then head = word end
        -- What is acknowledged is what was taken.
        assert((message ~= nil) == (verdict ~= "replayed"))
        verdicts[#verdicts + 1] = verdict
      end
    end
    local got = table.concat(verdicts, " ")
    return got == record.expect and (head or "none") == record.head_after, got
  end

  local function kind_of(record)
    if record.derive then return record.derive end
    if record.components then return "siv" end
    if record.counters then return "head" end
    if record.form then return "reject" end
    if record.direction then return record.expect == "fresh" and "open" or "seal" end
    return "control"
  end

  -- Why a device cannot take part, or nil.
  local function out_of_reach(record, kind)
    if kind == "device_key" then return "the key of the fleet stays with the host" end
    if record.form == "armor" then return "text armor is between hosts and people" end
    if kind == "siv" and (record.components ~= "3" or #record.first ~= 20) then
      return "a frame has three components, the first of 20 bytes"
    end
    if kind == "control" and record.kind == "hello" then return "hellos are read by the host" end
    return nil
  end

  return function(text)
    local executed, failures, skipped = 0, {}, {}
    for _, record in ipairs(parse(text)) do
      local kind = kind_of(record)
      local reason = out_of_reach(record, kind)
      if reason then
        skipped[reason] = (skipped[reason] or 0) + 1
      else
        local right, got = check[kind](record)
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
