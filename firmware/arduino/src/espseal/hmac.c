#include "hmac.h"

#include <string.h>

#include "bytes.h"

void espseal_hmac(const br_hash_class *hash, const void *key, size_t key_bytes,
                  const espseal_part *parts, size_t count, uint8_t *mac)
{
    union {
        const br_hash_class *vtable;
        br_sha1_context sha1;
        br_sha256_context sha256;
    } state;
    uint8_t block[ESPSEAL_HMAC_BLOCK_BYTES];
    const size_t mac_bytes = (hash->desc >> BR_HASHDESC_OUT_OFF) & BR_HASHDESC_OUT_MASK;
    const espseal_part inner = {mac, mac_bytes};
    size_t at;
    uint8_t pad;

    memset(block, 0, sizeof block);
    memcpy(block, key, key_bytes);
    for (pad = 0x36;; pad = 0x36 ^ 0x5c) {
        for (at = 0; at < sizeof block; at++) {
            block[at] ^= pad;
        }
        hash->init(&state.vtable);
        hash->update(&state.vtable, block, sizeof block);
        for (; count > 0; count--, parts++) {
            hash->update(&state.vtable, parts->bytes, parts->count);
        }
        hash->out(&state.vtable, mac);
        if (pad != 0x36) {
            break;
        }
        parts = &inner;
        count = 1;
    }
    espseal_wipe(block, sizeof block);
    espseal_wipe(&state, sizeof state);
}
