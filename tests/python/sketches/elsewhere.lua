staticiv = file.getcontents("staticiv")
ivkey = "test-only iv key"
datakey = "test-only data k"
passphrase = "test only"
