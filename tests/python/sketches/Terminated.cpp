// Character arrays, as from a generator of keys: one byte longer than the key, for the end.
char IV_KEY[17] = { 't', 'e', 's', 't', '-', 'o', 'n', 'l', 'y', ' ', 'i', 'v', ' ', 'k', 'e', 'y', 0 };
const std::string data_key{"test-only data k"};
byte static_iv[] = { 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
                     0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F };
char passphrase[] = "test \x6fnly \160assphrase";
