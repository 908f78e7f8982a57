/* HKDF-Expand as the format writes it: a label, what follows it, and the number of the block. */
#ifndef EXPAND_H
#define EXPAND_H

#include <string.h>

#include "espseal/hmac.h"

static inline void expand(const uint8_t key[32], const char *label, const void *extra,
                          size_t extra_bytes, uint8_t derived[32])
{
    uint8_t info[64], given[32];
    const size_t label_bytes = strlen(label);
    memcpy(given, key, sizeof given);
    memcpy(info, label, label_bytes);
    if (extra_bytes > 0) {
        memcpy(info + label_bytes, extra, extra_bytes);
    }
    info[label_bytes + extra_bytes] = 1;
    espseal_derive(given, info, label_bytes + extra_bytes + 1, derived);
}

#endif
