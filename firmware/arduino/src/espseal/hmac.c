#include "hmac.h"

#include <string.h>

#include "bytes.h"

void espseal_hmac(const br_hash_class *hash, const void *key, size_t key_bytes,
                  const espseal_part *parts, size_t count, uint8_t *mac)
{
    struct {
        union {
            const br_hash_class *vtable;
            br_sha1_context sha1;
            br_sha256_context sha256;
        } state;
        uint8_t block[ESPSEAL_HMAC_BLOCK_BYTES];
    } of;
    const size_t mac_bytes = (hash->desc >> BR_HASHDESC_OUT_OFF) & BR_HASHDESC_OUT_MASK;
    const espseal_part inner = {mac, mac_bytes};
    int pad = 0x36;
    for (;;) {
        memset(of.block, pad, sizeof of.block);
        espseal_xor(of.block, key, key_bytes);
        hash->init(&of.state.vtable);
        hash->update(&of.state.vtable, of.block, sizeof of.block);
        for (; count > 0; count--, parts++) {
            hash->update(&of.state.vtable, parts->bytes, parts->count);
        }
        hash->out(&of.state.vtable, mac);
        if (pad == 0x5c) {
            break;
        }
        pad = 0x5c;
        parts = &inner;
        count = 1;
    }
    espseal_wipe(&of, sizeof of);
}
