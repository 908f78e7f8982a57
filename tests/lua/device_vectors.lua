-- Plays the scenarios of sealed_device.txt on state.lua, sessions.lua, hello.lua and obey.lua, with
-- a clock, a generator and a flash of its own.
--
--   local run = dofile("device_vectors.lua")
--   run{crypto = crypto}(text)   -> executed, failures (lines), out of reach (none)
--
-- Each step is a record. See vectors.lua for the grammar.

-- luacheck: globals tmr node print

local bytes = require("bytes")

local FIELDS = {
  name = true, about = true, step = true, expect = true, epoch = true, advance = true,
  bound = true, topic = true, reason = true, offset = true,
  device_key = false, address = false, counter = false, version = false, session = false,
  random = false, plaintext = false, frame = false, payload = false,
}

local function parse(text)
  local records, record = {}, nil
  for line in text:gmatch("([^\n]*)\n") do
    local key, value = line:match("^([%w_]+): ?(.*)$")
    if line == "" then
      record = nil
    elseif key then
      assert(FIELDS[key] ~= nil, "an unknown field: " .. key)
      if not record then
        record = {}
        records[#records + 1] = record
      end
      record[key] = FIELDS[key] and value or bytes.unhex(value)
    else
      assert(line:sub(1, 1) == "#", "no vector: " .. line)
    end
  end
  return records
end

return function(modules)
  local sealed = require("sealed")(modules.crypto)
  local now, random, beacon, device = 0, nil, nil, nil

  -- The timers of hello.lua: the first repeats the hello, the second is for who asked too early,
  -- and the one that comes again draws a new session.
  tmr = {
    ALARM_SINGLE = 0, ALARM_AUTO = 1, ALARM_SEMI = 2,
    time = function() return now end,
    create = function()
      device.timers = device.timers + 1
      local name = device.timers == 1 and "hello_again" or "late"
      return {
        alarm = function(_, _, mode, callback)
          device[mode == tmr.ALARM_AUTO and "hello" or name] = callback
        end,
        stop = function() end,
      }
    end,
  }
  node = {random = function(low, high)
    assert(low == 0 and high == 255)
    local byte = random:byte(1)
    random = random:sub(2)
    return byte
  end}

  local function boot(scenario, key, epoch, counter)
    beacon = nil
    device = {key = key, published = {}, timers = 0}
    local fields = {
      address = scenario.address, origin = "", epoch = epoch, key = key,
      ceiling = assert(bytes.before(counter)),
    }
    local flash = {save = function() return "a mark" end}
    local state = require("state"){
      sealed = sealed, record = flash, slot = {take = function() end}, fields = fields,
      mark = "a mark",
    }
    local sessions = require("sessions"){sealed = sealed, state = state, now = tmr.time}
    -- What is sent is sent at once.
    local lane = {add = function(item)
      local frame, code = item.seal()
      device.code = code
      if frame then
        device.published[#device.published + 1] = {topic = item.topic or "up", payload = frame}
        if item.handed then item.handed() end
      end
      if item.done then item.done() end
    end}
    local hello = require("hello"){
      config = {hello_topic = "hello"}, state = state, sealed = sealed, sessions = sessions,
      beacon = {current = function() return beacon end}, lane = lane, pump = function() end,
      version = scenario.version,
    }
    local obey = require("obey"){
      config = {on_command = function(data) device.command = data end}, state = state,
      sealed = sealed, lane = lane, stats = {},
      sessions = setmetatable({open = function(frame)
        local message
        device.verdict, message = sessions.open(frame)
        return device.verdict, message
      end}, {__index = sessions}),
      welcomed = function() hello.welcomed() end,
      ratcheted = function() end,
    }
    device.asked, device.obey, device.state, device.sessions = hello.asked, obey, state, sessions
  end

  local play, scenario = {}, nil

  function play.scenario(record)
    scenario, now = record, 0
    boot(record, record.device_key, bytes.of(tonumber(record.epoch), 2), record.counter)
    return true
  end

  function play.boot(record)
    boot(scenario, device.state.key, device.state.epoch, record.counter)
    return true
  end

  function play.beacon(record)
    beacon = record.session
    return true
  end

  function play.clock(record)
    now = now + tonumber(record.advance)
    return true
  end

  function play.hello(record)
    random = record.random
    device.code = nil
    device.hello()
    if record.expect ~= "sent" then return device.code == record.expect, device.code or "sent" end
    return random == "" and device.sessions.newest().id == record.session, "another session"
  end

  function play.hello_again(record)
    device.hello_again()
    return record.expect == "sent", "sent"
  end

  function play.asked(record)
    random = record.random
    device.asked()
    local got = device.published[1] and "sent" or "ignored"
    return got == record.expect, got
  end

  function play.send(record)
    local frame, code = device.state.seal(
      sealed.DATA, record.bound == "true" and beacon or "", record.plaintext)
    if frame then device.published[1] = {topic = "up", payload = frame} end
    return (code or "sent") == record.expect, code or "sent"
  end

  function play.receive(record)
    device.command = nil
    device.obey(record.frame)
    return device.verdict == record.expect and device.command == record.plaintext, device.verdict
  end

  function play.published(record)
    local found = table.remove(device.published, 1)
    if not found then return false, "nothing" end
    return found.topic == record.topic and found.payload == record.payload,
      found.topic .. " " .. bytes.hex(found.payload)
  end

  return function(text)
    local executed, failures = 0, {}
    local say = print
    print = function() end
    for _, record in ipairs(parse(text)) do
      local claimed = record.step == "published" or not device or not device.published[1]
      local right, got = play[record.step](record)
      executed = executed + 1
      if not right or not claimed then
        failures[#failures + 1] = record.name .. ": "
          .. (claimed and (record.expect or "published") .. ", not " .. got or "not claimed")
      end
    end
    print = say
    return executed, table.concat(failures, "\n"), ""
  end
end
