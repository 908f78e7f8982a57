#include "codec.h"

#include <string.h>

uint32_t crc32_of(const void *bytes, size_t count, uint32_t before)
{
    const uint8_t *at = static_cast<const uint8_t *>(bytes);
    uint32_t sum = ~before;
    for (; count > 0; count--) {
        sum ^= *at++;
        for (int bit = 0; bit < 8; bit++) {
            sum = sum >> 1 ^ (0xedb88320U & (0U - (sum & 1)));
        }
    }
    return ~sum;
}

int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    const char lower = static_cast<char>(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool hex_decode(const char *text, uint8_t *bytes, size_t count)
{
    if (strlen(text) != 2 * count) {
        return false;
    }
    for (size_t at = 0; at < count; at++) {
        const int high = hex_digit(text[2 * at]), low = hex_digit(text[2 * at + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        bytes[at] = static_cast<uint8_t>(high << 4 | low);
    }
    return true;
}

void hex_encode(const uint8_t *bytes, size_t count, char *text)
{
    for (size_t at = 0; at < 2 * count; at++) {
        const int digit = bytes[at / 2] >> (at % 2 == 0 ? 4 : 0) & 15;
        text[at] = static_cast<char>(digit < 10 ? '0' + digit : 'a' + digit - 10);
    }
    text[2 * count] = '\0';
}

static int base64_digit(char digit)
{
    if (digit >= 'A' && digit <= 'Z') {
        return digit - 'A';
    }
    if (digit >= 'a' && digit <= 'z') {
        return digit - 'a' + 26;
    }
    if (digit >= '0' && digit <= '9') {
        return digit - '0' + 52;
    }
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

size_t base64_decode(const char *text, uint8_t *bytes, size_t capacity)
{
    const size_t digits = strlen(text);
    if (digits == 0 || digits % 4 != 0) {
        return 0;
    }
    const size_t padding = (text[digits - 1] == '=') + (text[digits - 2] == '=');
    const size_t count = digits / 4 * 3 - padding;
    uint32_t group = 0;
    size_t done = 0;
    for (size_t at = 0; at < digits; at++) {
        const bool is_padding = at + padding >= digits;
        const int digit = is_padding ? 0 : base64_digit(text[at]);
        if (digit < 0 || (is_padding && text[at] != '=')) {
            return 0;
        }
        group = group << 6 | static_cast<uint32_t>(digit);
        for (int part = 16; at % 4 == 3 && part >= 0; part -= 8) {
            const uint8_t byte = static_cast<uint8_t>(group >> part);
            if (done >= count) {
                // One value has one text: what is padded is zeros.
                if (byte != 0) {
                    return 0;
                }
            } else if (count <= capacity) {
                bytes[done++] = byte;
            } else {
                done++;
            }
        }
    }
    return count;
}

bool percent_decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        const int high = hex_digit(from[1]);
        const int low = high < 0 ? -1 : hex_digit(from[2]);
        if (low < 0 || (high | low) == 0) {
            return false;
        }
        *to++ = static_cast<char>(high << 4 | low);
        from += 2;
    }
    *to = '\0';
    return true;
}

void wipe(void *bytes, size_t count)
{
    volatile uint8_t *at = static_cast<volatile uint8_t *>(bytes);
    while (count-- > 0) {
        *at++ = 0;
    }
}
