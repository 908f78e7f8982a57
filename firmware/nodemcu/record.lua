-- What a device must not forget, in flash: its key, the epoch of it, and the counters that are
-- reserved, as one record. Two files are written in turn, so that a power cut at any instant leaves
-- one record that is whole.
--
--   local record = require("record")(file, crypto)
--   local fields, mark = record.load()     -- the newest one, or nil
--   local mark, code = record.save(fields, forget)   -- or nil, "storage_failed"
--
-- Fields: address (8 bytes), origin (8: which key of config.lua it began with), epoch (2), key
-- (32), ceiling (8). `forget`: no older record may stay, for its key must go. The mark tells
-- records apart: no two that were ever saved have the same.

local bytes = require("bytes")

local FILES = {"espseal.1", "espseal.2"}
local FIELDS = {{"address", 8}, {"origin", 8}, {"epoch", 2}, {"key", 32}, {"ceiling", 8}}
-- Magic, version, and how many bytes follow: a sequence number, the fields, a check.
local HEAD, LENGTH, CHECK = "espseal\1\70", 79, 8

return function(file, crypto)
  local newest -- the index of the file that holds the newest record
  local sequence = ("\0"):rep(4)

  -- It begins with a text: erased flash, all 0xFF or all 0, never passes.
  local function check(text)
    return crypto.hash("SHA256", "espseal record" .. text):sub(1, CHECK)
  end

  local function read(index)
    local f = file.open(FILES[index], "r")
    if not f then return nil end
    local text = f:read(LENGTH + 1)
    f:close()
    return text
  end

  local function read_whole(index)
    local text = read(index)
    if not text or #text ~= LENGTH or text:sub(1, #HEAD) ~= HEAD then return nil end
    if check(text:sub(1, -1 - CHECK)) ~= text:sub(-CHECK) then return nil end
    return text
  end

  local function split(text)
    local fields, at = {}, #HEAD + 4
    for _, field in ipairs(FIELDS) do
      fields[field[1]] = text:sub(at + 1, at + field[2])
      at = at + field[2]
    end
    return fields
  end

  local function write(index, text)
    local f = file.open(FILES[index], "w")
    if not f then return false end
    f:write(text)
    f:flush()
    f:close()
    -- What counts is what can be read back.
    return read(index) == text
  end

  local function save(fields, forget)
    local parts = {HEAD, bytes.add(sequence, "\1")}
    for _, field in ipairs(FIELDS) do parts[#parts + 1] = fields[field[1]] end
    local text = table.concat(parts)
    local mark = check(text)
    local target = newest == 1 and 2 or 1
    if not write(target, text .. mark) then return nil, "storage_failed" end
    newest, sequence = target, parts[2]
    if forget then file.remove(FILES[3 - target]) end
    return mark
  end

  local function load()
    local texts = {read_whole(1), read_whole(2)}
    local function sequence_of(index) return texts[index]:sub(#HEAD + 1, #HEAD + 4) end
    newest = texts[1] and 1 or texts[2] and 2 or nil
    if not newest then return nil end
    if texts[1] and texts[2] and bytes.below(sequence_of(1), sequence_of(2)) then newest = 2 end
    sequence = sequence_of(newest)
    local fields, other = split(texts[newest]), texts[3 - newest]
    -- The power went before a key that must go was gone.
    if other and split(other).key ~= fields.key then file.remove(FILES[3 - newest]) end
    return fields, texts[newest]:sub(-CHECK)
  end

  return {load = load, save = save}
end
