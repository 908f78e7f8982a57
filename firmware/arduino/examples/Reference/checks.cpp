#include "checks.h"

#include <string.h>

#include "codec.h"
#include "settings.h"

// The length of the UTF-8 character that begins there (RFC 3629); 0: none does, or a control one.
static size_t character_bytes(const uint8_t *at)
{
    if (at[0] < 0x80) {
        return at[0] >= 0x20 && at[0] != 0x7f;
    }
    const size_t count = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    uint32_t code = at[0] & (0x7fU >> count);
    for (size_t part = 1; part < count; part++) {
        if ((at[part] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (at[part] & 0x3fU);
    }
    static const uint32_t least[] = {0, 0, 0xa0, 0x800, 0x10000};
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    return at[0] < 0xc2 || at[0] > 0xf4 || code < least[count] || code > 0x10ffff || surrogate
               ? 0
               : count;
}

bool is_text(const char *value)
{
    const uint8_t *at = reinterpret_cast<const uint8_t *>(value);
    while (*at != 0) {
        const size_t count = character_bytes(at);
        if (count == 0) {
            return false;
        }
        at += count;
    }
    return true;
}

size_t characters(const char *value)
{
    size_t count = 0;
    for (; *value != '\0'; value++) {
        count += (*value & 0xc0) != 0x80;
    }
    return count;
}

bool is_hex(const char *value, size_t digits)
{
    size_t count = 0;
    for (; *value != '\0'; value++, count++) {
        if (hex_digit(*value) < 0 || (*value >= 'A' && *value <= 'F')) {
            return false;
        }
    }
    return count == digits;
}

bool is_number(const char *value, uint32_t least, uint32_t most)
{
    uint32_t number = 0;
    const char *at = value;
    for (; *at >= '0' && *at <= '9' && number <= 999999; at++) {
        number = number * 10 + static_cast<uint32_t>(*at - '0');
    }
    const bool zeros = value[0] == '0' && value[1] != '\0';
    return at != value && *at == '\0' && !zeros && number >= least && number <= most;
}

bool ipv4_parse(const char *value, uint32_t *number)
{
    *number = 0;
    for (int part = 0; part < 4; part++) {
        char digits[4] = {};
        size_t count = 0;
        while (*value >= '0' && *value <= '9' && count < 3) {
            digits[count++] = *value++;
        }
        if (!is_number(digits, 0, 255) || *value != (part < 3 ? '.' : '\0')) {
            return false;
        }
        value += part < 3;
        *number = *number << 8 | static_cast<uint32_t>(strtoul(digits, nullptr, 10));
    }
    return true;
}

static bool all_zeros(const char *value)
{
    return strspn(value, "0") == strlen(value);
}

Sentence address_problem(const char *value)
{
    return is_hex(value, 16) && !all_zeros(value)
               ? nullptr
               : F("Give the device's address: 16 hex digits, as `espseal device list` shows it.");
}

Sentence device_key_problem(const char *value)
{
    uint8_t key[32];
    const bool right = hex_decode(value, key, sizeof key);
    wipe(key, sizeof key);
    return !right ? F("Give the device's key: 64 hex digits, out of its provisioning file.")
           : all_zeros(value) ? F("Zeros are no key: let `espseal device add` draw one.")
                              : nullptr;
}

Sentence wifi_password_problem(const char *value)
{
    const size_t bytes = strlen(value);
    uint8_t key[32];
    if (bytes >= 8 && (bytes <= 63 || hex_decode(value, key, sizeof key))) {
        return nullptr;
    }
    return F("A Wi-Fi password has 8 to 63 characters, or is a key of 64 hex digits: check it.");
}

Sentence host_problem(const char *value)
{
    uint32_t number;
    size_t digits = 0;
    for (const char *at = value; *at != '\0'; at++) {
        const bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
        const bool digit = (*at >= '0' && *at <= '9') || *at == '.';
        if (!letter && !digit && *at != '-' && *at != '_') {
            return F("Give a name or an IPv4 address alone: without mqtt://, port or spaces, an "
                     "international name as xn--.");
        }
        digits += digit;
    }
    if (digits == strlen(value) ? !ipv4_parse(value, &number)
                                : value[0] == '.' || value[0] == '-' || strstr(value, "..")) {
        return F("That is neither a name nor an IPv4 address: look for a slip of the hand.");
    }
    return nullptr;
}

Sentence topic_problem(const char *value)
{
    size_t bytes = 0;
    for (const char *at = value; *at != '\0'; at++, bytes++) {
        if (*at == '+' || *at == '#') {
            return F("A topic to publish on has no + and no #: name it in full.");
        }
        if (strncmp(at, "{mac}", 5) == 0) {
            at += 4;
            bytes += 11;
        } else if (strncmp(at, "{address}", 9) == 0) {
            at += 8;
            bytes += 15;
        } else if (*at == '{' || *at == '}') {
            return F("Only {mac} and {address} can stand in braces: write one of them, or none.");
        }
    }
    return bytes <= kTopicBytesMax ? nullptr : F("A topic has at most 128 bytes: shorten it.");
}

Sentence ipv4_problem(const char *value)
{
    uint32_t number;
    if (!ipv4_parse(value, &number)) {
        return F("Give four numbers from 0 to 255 with dots between them, like 192.168.1.20.");
    }
    const uint32_t first = number >> 24;
    return first == 0 || first == 127 || first >= 224
               ? F("That address cannot be any machine's in your network: check its first number.")
               : nullptr;
}

Sentence mask_problem(const char *value)
{
    uint32_t number;
    const bool right =
        ipv4_parse(value, &number) && number != 0 && (~number & (~number + 1)) == 0 && ~number >= 3;
    return right ? nullptr : F("Give the mask of the network, like 255.255.255.0.");
}

// Reads a tag and a length, and stands behind them. False: they are not there.
static bool der_enter(const uint8_t **at, const uint8_t *end, uint8_t tag, size_t *length)
{
    if (end - *at < 4 || (*at)[0] != tag) {
        return false;
    }
    *length = (*at)[1];
    *at += 2;
    if (*length >= 0x80) {
        const size_t count = *length & 0x7f;
        if (count < 1 || count > 2) {
            return false;
        }
        *length = count == 1 ? (*at)[0] : static_cast<size_t>((*at)[0] << 8 | (*at)[1]);
        *at += count;
    }
    return true;
}

enum class Der { kOther, kBroken, kCertificate, kPublicKey };

// What it is: by its length, and by what its first element begins with.
static Der der_of(const char *value)
{
    char start[17] = {};
    uint8_t bytes[12];
    const size_t count = base64_decode(value, nullptr, 0);
    strncpy(start, value, sizeof start - 1);
    if (count < sizeof bytes || base64_decode(start, bytes, sizeof bytes) != sizeof bytes) {
        return Der::kBroken;
    }
    const uint8_t *at = bytes;
    size_t length = 0;
    if (!der_enter(&at, bytes + sizeof bytes, 0x30, &length)) {
        return Der::kOther;
    }
    if (length + static_cast<size_t>(at - bytes) != count) {
        return Der::kBroken;
    }
    if (!der_enter(&at, bytes + sizeof bytes, 0x30, &length)) {
        return Der::kOther;
    }
    // A version or a serial number; the OID of an algorithm.
    return at[0] == 0xa0 || at[0] == 0x02 ? Der::kCertificate
           : at[0] == 0x06                ? Der::kPublicKey
                                          : Der::kOther;
}

static Sentence pem_problem(const char *value, size_t longest)
{
    return strstr(value, "-----") != nullptr
               ? F("There is more in it than one PEM block: give one alone.")
           : strlen(value) > longest ? F("It is too long: a smaller key would fit.")
           : der_of(value) == Der::kBroken
               ? F("It is not whole: copy it again, from its first character to its last.")
               : nullptr;
}

Sentence certificate_problem(const char *value)
{
    const Sentence problem = pem_problem(value, 2800);
    if (problem != nullptr || der_of(value) == Der::kCertificate) {
        return problem;
    }
    return F("It is no certificate: give the CA's, as PEM or as base64 of DER.");
}

Sentence public_key_problem(const char *value)
{
    const Sentence problem = pem_problem(value, 800);
    if (problem != nullptr || der_of(value) == Der::kPublicKey) {
        return problem;
    }
    return F("It is no public key: take it out of the certificate with `openssl x509 -pubkey "
             "-noout`.");
}
