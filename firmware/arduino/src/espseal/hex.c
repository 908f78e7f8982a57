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

/* The value of a digit of either case; 16 or more: it is none. */
static unsigned value_of(uint8_t digit)
{
    const unsigned value = digit - (unsigned)'0';
    const unsigned letter = (digit | 0x20U) - 'a';
    return value <= 9 ? value : letter <= 5 ? letter + 10 : 16;
}

size_t espseal_unhex(uint8_t *bytes, const uint8_t *digits, size_t count)
{
    unsigned value = 0;
    size_t at;
    for (at = 0; at < 2 * count; at++) {
        const unsigned digit = value_of(digits[at]);
        if (digit > 15) {
            break;
        }
        value = value << 4 | digit;
        if (at % 2 != 0) {
            *bytes++ = (uint8_t)value;
        }
    }
    return at;
}

bool espseal_all_hex(const uint8_t *digits, size_t count)
{
    while (count > 0 && value_of(*digits) <= 15) {
        count--;
        digits++;
    }
    return count == 0;
}
