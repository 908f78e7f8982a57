return {
  topic = "sensors/attic",
  keys = {
    iv_key = {hex = "000102030405060708090a0b0c0d0e0f"},
    ["data_key"] = "test-only data k",
    static_iv = {hex = "101112131415161718191a1b1c1d1e1f"},
    passphrase = "test only passphrase",
  },
}
