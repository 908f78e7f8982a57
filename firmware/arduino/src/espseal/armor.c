#include "sealed.h"

static char to_character(unsigned value)
{
    if (value < 26) {
        return (char)('A' + value);
    }
    if (value < 52) {
        return (char)('a' + (value - 26));
    }
    if (value < 62) {
        return (char)('0' + (value - 52));
    }
    return value == 62 ? '-' : '_';
}

/* 64 for what is no character of it. */
static unsigned to_value(char character)
{
    unsigned value;
    for (value = 0; value < 64; value++) {
        if (to_character(value) == character) {
            break;
        }
    }
    return value;
}

size_t espseal_armor(const uint8_t *frame, size_t frame_bytes, char *text)
{
    uint32_t bits = 0;
    unsigned held = 0;
    char *at = text;
    while (frame_bytes > 0 || held > 0) {
        if (held < 6) {
            if (frame_bytes > 0) {
                bits = bits << 8 | *frame++;
                frame_bytes--;
                held += 8;
            } else {
                bits <<= 6 - held;
                held = 6;
            }
        }
        held -= 6;
        *at++ = to_character(bits >> held & 63);
    }
    return (size_t)(at - text);
}

espseal_problem espseal_disarm(const char *text, size_t text_bytes, uint8_t *frame,
                               size_t *frame_bytes)
{
    const size_t longest = (ESPSEAL_SEALED_FRAME_BYTES_MAX * 4 + 2) / 3;
    uint8_t *to = frame;
    uint32_t bits = 0;
    unsigned held = 0;
    size_t at;
    *frame_bytes = 0;
    if (text_bytes > longest) {
        return ESPSEAL_PROBLEM(ESPSEAL_TOO_LONG, ESPSEAL_SEALED_FRAME_BYTES_MAX);
    }
    for (at = 0; at < text_bytes; at++) {
        if (to_value(text[at]) > 63) {
            return ESPSEAL_PROBLEM(ESPSEAL_NOT_BASE64URL, at);
        }
    }
    if (text_bytes % 4 == 1) {
        return ESPSEAL_PROBLEM(ESPSEAL_ARMOR_LENGTH, text_bytes);
    }
    for (at = 0; at < text_bytes; at++) {
        bits = bits << 6 | to_value(text[at]);
        held += 6;
        if (held >= 8) {
            held -= 8;
            *to++ = (uint8_t)(bits >> held);
        }
    }
    if ((bits & ((1U << held) - 1)) != 0) {
        return ESPSEAL_PROBLEM(ESPSEAL_TRAILING_BITS, text_bytes - 1);
    }
    *frame_bytes = (size_t)(to - frame);
    return ESPSEAL_NO_PROBLEM;
}
