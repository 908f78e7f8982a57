#include <string.h>

#include "classic_known.h"

static bool is(const uint8_t *key, size_t bytes, const char *known)
{
    return bytes == strlen(known) && memcmp(key, known, bytes) == 0;
}

static bool holds(const uint8_t *key, size_t bytes, const char *part)
{
    const size_t part_bytes = strlen(part);
    for (; bytes >= part_bytes; bytes--, key++) {
        if (memcmp(key, part, part_bytes) == 0) {
            return true;
        }
    }
    return false;
}

espseal_error espseal_classic_known(const espseal_classic_secrets *secrets)
{
    const uint8_t *const keys[] = {secrets->iv_key, secrets->data_key, secrets->static_iv,
                                   secrets->passphrase};
    const size_t bytes[] = {secrets->iv_key_bytes, secrets->data_key_bytes, 16,
                            secrets->passphrase_bytes};
    static const char *const printed[] = {"2345678901abcdef", "0123456789abcdef",
                                          "abcdef2345678901", "mypassphrase"};
    size_t at;
    for (at = 0; at < 4; at++) {
        if (is(keys[at], bytes[at], printed[at])) {
            return ESPSEAL_ERROR_ARTICLE_KEYS;
        }
        if (holds(keys[at], bytes[at], "CHANGE-ME")) {
            return ESPSEAL_ERROR_PLACEHOLDER_KEYS;
        }
    }
    return ESPSEAL_OK;
}
