#include <string.h>

#include "hmac.h"

void espseal_derive(const uint8_t key[32], const char *label, const void *extra, size_t extra_bytes,
                    uint8_t derived[32])
{
    const espseal_part parts[] = {{label, strlen(label)}, {extra, extra_bytes}, {"\1", 1}};
    espseal_hmac(&br_sha256_vtable, key, 32, parts, 3, derived);
}
