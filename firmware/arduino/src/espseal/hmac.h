/* HMAC (RFC 2104) and the derivation of keys (HKDF-Expand, RFC 5869). */
#ifndef ESPSEAL_HMAC_H
#define ESPSEAL_HMAC_H

#include <bearssl/bearssl.h>
#include <stddef.h>
#include <stdint.h>

#define ESPSEAL_HMAC_BLOCK_BYTES 64

typedef struct {
    const void *bytes;
    size_t count;
} espseal_part;

/* The HMAC over all parts, one after the other; 20 bytes with SHA-1, 32 with SHA-256. The key
 * has 64 bytes at most. BearSSL's own HMAC would take half as much stack again. */
void espseal_hmac(const br_hash_class *hash, const void *key, size_t key_bytes,
                  const espseal_part *parts, size_t count, uint8_t *mac);

/* HKDF-Expand(key, info, 32), by HMAC-SHA256: one block, so no loop. `info` ends with the block's
 * number, the byte 1: "uplink\1". `derived` is not `key`. */
void espseal_derive(const uint8_t key[32], const void *info, size_t info_bytes,
                    uint8_t derived[32]);

#endif
