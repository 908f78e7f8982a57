#include "bytes.h"

void espseal_wipe(void *bytes, size_t count)
{
    volatile uint8_t *at = bytes;
    while (count-- > 0) {
        *at++ = 0;
    }
}

bool espseal_equal(const void *a, const void *b, size_t count)
{
    const uint8_t *one = a, *other = b;
    uint8_t different = 0;
    while (count-- > 0) {
        different = (uint8_t)(different | (*one++ ^ *other++));
    }
    return different == 0;
}

void espseal_xor(uint8_t *to, const uint8_t *with, size_t count)
{
    while (count-- > 0) {
        *to++ ^= *with++;
    }
}

void espseal_store_be(uint8_t *to, uint64_t value, size_t count)
{
    while (count-- > 0) {
        to[count] = (uint8_t)value;
        value >>= 8;
    }
}

uint64_t espseal_load_be(const uint8_t *from, size_t count)
{
    uint64_t value = 0;
    while (count-- > 0) {
        value = value << 8 | *from++;
    }
    return value;
}
