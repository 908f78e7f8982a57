-- Turns a bare Lua into NodeMCU's: what its flash and its serial port are, and what it has not.
-- Runs once in each new runtime, with the host's functions; returns what the host builds on.

local read_file, write_line = ...

local getinfo, load_chunk = debug.getinfo, loadstring or load
local pairs, error, select, tostring = pairs, error, select, tostring

-- As luaL_error does: with the place in the script that called.
local function fail(message)
  for level = 2, 9 do
    local info = getinfo(level, "Sl")
    if not info then break end
    if info.currentline > 0 and info.source:sub(1, 1) == "@" then
      error(info.short_src .. ":" .. info.currentline .. ": " .. message, 0)
    end
  end
  error(message, 0)
end

local function finish(ok, ...)
  if not ok then fail((...)) end
  return ...
end

-- A host function answers true and its results, or false and a message.
local function guarded(call)
  return function(...) return finish(call(...)) end
end

-- A host object: functions that are called with a colon.
local function object(methods)
  local self = {}
  for name, call in pairs(methods) do
    self[name] = function(this, ...)
      if this ~= self then fail("calling '" .. name .. "' on bad self") end
      return call(...)
    end
  end
  return self
end

function print(...) -- luacheck: ignore
  local words = {}
  for i = 1, select("#", ...) do words[i] = tostring((select(i, ...))) end
  write_line(table.concat(words, "\t"))
end

function loadfile(name) -- luacheck: ignore
  local text = read_file(name)
  if not text then return nil, "cannot open " .. name end
  return load_chunk(text, "@" .. name)
end

function dofile(name) -- luacheck: ignore
  local chunk, problem = loadfile(name)
  if not chunk then error(problem, 0) end
  return chunk()
end

local searchers = package.loaders or package.searchers
for i = #searchers, 2, -1 do searchers[i] = nil end
searchers[2] = function(name)
  local chunk, problem = loadfile(name .. ".lua")
  return chunk or "\n\t" .. problem
end

-- NodeMCU has no operating system, and a script must not reach the host's.
os, io, python, debug = nil, nil, nil, nil -- luacheck: ignore
package.loadlib, package.cpath, package.path = nil, "", "" -- luacheck: ignore

return guarded, object
