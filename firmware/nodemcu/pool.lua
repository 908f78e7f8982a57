-- What a node needs to be authority and receiver for other nodes: the session IDs, of which
-- several live at a time, and what was accepted under each (I1, I2, I4 and Receiving in
-- src/CLASSIC.md). A node has no session key: it believes the IDs that it drew, and no others.
--
--   local pool, code, field = require("pool").new{
--     espseal = espseal, crypto = crypto, node_id = node_id, now = tmr.time,
--     nodes = {"11242238"},      -- whose readings it takes
--     peers = {"7"},             -- whose messages to this node it takes: config.lua's `to` there
--     interval = 30, life = 120, -- seconds from one ID to the next, and that each is good
--     memory = 64,               -- frames accepted under one ID; it ends when there are so many
--   }
--   pool.current()               -- the ID to show, a new one when it is time; or nil, code
--   pool.open(frame)             -- node ID, data; or nil, verdict
--
-- Codes of new:     missing_field, invalid_value; a third value names the field.
-- Code of current:  radio_down.
-- Verdicts of open: malformed, forged, wrong_direction, unknown_device, stale_session, duplicate.

-- IDs that have ended, kept to tell a late frame from a forged one. It is refused either way.
local EXPIRED_KEPT = 2
local MAC_BYTES = 20

-- nil, or a list of strings as a set.
local function set_of(list)
  local set = {}
  if type(list) ~= "table" then return nil end
  for _, id in ipairs(list) do
    if type(id) ~= "string" then return nil end
    set[id] = true
  end
  return set
end

-- One string for all MACs of a session: each would take three times its 20 bytes as its own.
local function holds(macs, mac)
  for at = 1, #macs, MAC_BYTES do
    if macs:sub(at, at + MAC_BYTES - 1) == mac then return true end
  end
  return false
end

local function new(given)
  local espseal, crypto, node_id, now = given.espseal, given.crypto, given.node_id, given.now
  local interval, life = given.interval or 30, given.life or 120
  local bytes_max = MAC_BYTES * (given.memory or 64)

  if given.nodes == nil and given.peers == nil then return nil, "missing_field", "nodes" end
  local nodes, peers = set_of(given.nodes), set_of(given.peers)
  if given.nodes ~= nil and not nodes then return nil, "invalid_value", "nodes" end
  if given.peers ~= nil and not peers then return nil, "invalid_value", "peers" end
  if interval < 1 then return nil, "invalid_value", "session_interval" end
  if life <= interval then return nil, "invalid_value", "session_life" end
  if bytes_max < MAC_BYTES then return nil, "invalid_value", "session_memory" end

  local live = {}    -- {id, ends, macs}, the oldest first
  local expired = {} -- IDs
  local last = {}    -- node ID to a hash of the last frame accepted of it
  local minted_at    -- nil: it is time for a new one

  local function retire(index)
    expired[#expired + 1] = table.remove(live, index).id
    if #expired > EXPIRED_KEPT then table.remove(expired, 1) end
    if index > #live then minted_at = nil end
  end

  local function expire()
    while live[1] and now() >= live[1].ends do retire(1) end
  end

  local function current()
    expire()
    if not minted_at or now() - minted_at >= interval then
      local id, code = espseal.draw_session()
      if not id then return nil, code end
      minted_at = now()
      live[#live + 1] = {id = id, ends = minted_at + life, macs = ""}
    end
    return live[#live].id
  end

  -- R2: the broker's retained copy stays a duplicate when its session is long forgotten. The
  -- whole frame, for the MAC of a true one could stand in a changed one.
  local function recall(frame, verdict)
    local hash = crypto.hash("sha1", frame)
    for _, known in pairs(last) do
      if known == hash then return nil, "duplicate" end
    end
    return nil, verdict
  end

  local function open(frame)
    expire()
    local ids = {}
    for i, each in ipairs(live) do ids[i] = each.id end
    for _, id in ipairs(expired) do ids[#ids + 1] = id end
    local who, data, id, mac = espseal.open_field(frame, ids)
    if not who then
      if data == "forged" then return recall(frame, data) end
      return nil, data
    end
    -- O8, O9: a node that sends to this one, or one that sends to the host of these keys, whose
    -- readings are none for this node unless it lists them.
    local from, to = who:match("^([^>]*)>(.*)$")
    local believed
    if not from then
      from, believed = who, nodes
    elseif from ~= "" and to == node_id then
      believed = peers
    end
    if not believed then return nil, "wrong_direction" end
    if not believed[from] then return nil, "unknown_device" end
    for i, session in ipairs(live) do
      if session.id == id then
        if holds(session.macs, mac) then return nil, "duplicate" end
        session.macs = session.macs .. mac
        last[from] = crypto.hash("sha1", frame)
        -- A full session ends, never an entry.
        if #session.macs >= bytes_max then retire(i) end
        return from, data
      end
    end
    return recall(frame, "stale_session") -- R1
  end

  return {current = current, open = open}
end

return {new = new}
