#include "bytes.h"

void espseal_hex(uint8_t *digits, const uint8_t *bytes, size_t count, uint8_t letter)
{
    uint8_t byte = 0;
    size_t at;
    for (at = 0; at < 2 * count; at++) {
        unsigned digit;
        if (at % 2 == 0) {
            byte = *bytes++;
        }
        digit = byte >> 4;
        byte = (uint8_t)(byte << 4);
        *digits++ = (uint8_t)(digit + (digit < 10 ? '0' : letter - 10U));
    }
}

size_t espseal_unhex(uint8_t *bytes, const uint8_t *digits, size_t count)
{
    unsigned value = 0;
    size_t at;
    for (at = 0; at < 2 * count; at++) {
        unsigned digit = digits[at] - (unsigned)'0';
        if (digit > 9) {
            digit = (digits[at] | 0x20U) - 'a';
            if (digit > 5) {
                break;
            }
            digit += 10;
        }
        value = value << 4 | digit;
        if (at % 2 != 0) {
            *bytes++ = (uint8_t)value;
        }
    }
    return at;
}
