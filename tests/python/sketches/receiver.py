"""A receiver as the article has one, with keys of its own."""

from binascii import unhexlify

ivkey: bytes = b"test-only iv key"
KEYS = {
    "datakey": "test-only data k",
    "passphrase": bytes([97, 0x20, 0x77, 111, 114, 100, 32, 111, 114, 0x20, 50]),
}
static_iv = unhexlify("101112131415161718191a1b1c1d1e1f")  # was "abcdef"
print(ivkey == b"something else16", KEYS["datakey"], static_iv)
