#include "hmac.h"

void espseal_derive(const uint8_t key[32], const void *info, size_t info_bytes, uint8_t derived[32])
{
    const espseal_part part = {info, info_bytes};
    espseal_hmac(&br_sha256_vtable, key, 32, &part, 1, derived);
}
