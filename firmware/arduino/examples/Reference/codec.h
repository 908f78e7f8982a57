// Hex, base64, percent signs and a checksum: what settings travel in; and what ends them.
#pragma once

#include <stddef.h>
#include <stdint.h>

// CRC-32 (IEEE 802.3, as of zlib). It goes on from what it said of the bytes before.
uint32_t crc32_of(const void *bytes, size_t count, uint32_t before = 0);

// The value of a hex digit, or -1.
int hex_digit(char digit);
// Exactly 2 * count digits, of either case. False: something else.
bool hex_decode(const char *text, uint8_t *bytes, size_t count);
// Lower case, and a NUL.
void hex_encode(const uint8_t *bytes, size_t count, char *text);

// How many bytes a base64 text (RFC 4648, section 4, padded, nothing else in it) stands for; they
// are written if `capacity` suffices. 0: it is none.
size_t base64_decode(const char *text, uint8_t *bytes, size_t capacity);

// Overwrites secrets, also where nobody reads the memory again.
void wipe(void *bytes, size_t count);

// Puts in place what %XX stands for. False: a percent sign without two digits, or %00.
bool percent_decode(char *text);
