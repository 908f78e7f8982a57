-- What stands in control frames (Hello and control in src/SEALED.md).
--
--   local control = require("control")
--   control.make("welcome", floor)   -- the plaintext: an opcode, a body
--   control.parse(plaintext)         -- the name and the body; nil: it does not parse
--
-- Names and lengths of bodies: ratchet 2, ack 16, welcome 8, query_mode 0, set_mode 1, mode 1.

local NAMES = {"ratchet", "ack", "welcome", "query_mode", "set_mode", "mode"}
local LENGTHS = {2, 16, 8, 0, 1, 1}

return {
  make = function(name, body)
    for opcode, each in ipairs(NAMES) do
      if each == name then return string.char(opcode) .. body end
    end
  end,
  parse = function(plaintext)
    local opcode = plaintext:byte(1)
    if not opcode or LENGTHS[opcode] ~= #plaintext - 1 then return nil end
    return NAMES[opcode], plaintext:sub(2)
  end,
}
