-- Runs vectors in a bare interpreter, on the crypto of crypto.lua:
--
--   lua standalone.lua FIRMWARE TESTS RUNNER VECTORS
--
-- FIRMWARE and TESTS are folders. Prints how many were executed, a line for each failure, and a
-- line for each reason for which some are out of reach.

local firmware, tests, runner, vectors = table.unpack(arg)
package.path = firmware .. "/?.lua"

local file = assert(io.open(vectors, "rb"))
local text = file:read("a")
file:close()

local run = dofile(tests .. "/" .. runner){
  crypto = dofile(tests .. "/crypto.lua"),
  node = {random = function() error("vectors need no random number") end},
}
local executed, failures, reasons = run(text)
print("executed " .. executed)
for line in failures:gmatch("[^\n]+") do print("failed " .. line) end
for line in reasons:gmatch("[^\n]+") do print("out of reach " .. line) end
