-- The sender of the article, with its keys as they are printed there.
nodeid = node.chipid()
staticiv = "abcdef2345678901"
ivkey = "2345678901abcdef"
datakey = "0123456789abcdef"
passphrase = "mypassphrase"

m:subscribe("mytopic/sessionID", 0, function(client) print("subscribe success") end)
encrypted_iv = crypto.encrypt("AES-CBC", ivkey, iv, staticiv)
m:publish("mytopic/data", payload, 2, 1)
