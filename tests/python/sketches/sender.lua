--[[ The keys that were here until spring:
ivkey = "old key, in vain"
]]
local nodeid = node.chipid()
-- datakey = "commented out 16"
local ivkey = 'test-only iv key'
local DATA_KEY = [[test-only data k]]
staticiv = "short\32iv"
passphrase = "test \"only\" -- no comment"

if ivkey == "test-only other!" then print("never") end
m:subscribe("attic/sessionID", 0)
m:publish("attic/temperature", payload, 1, 1)
crypto.encrypt("AES-CBC", datakey, data, iv)
