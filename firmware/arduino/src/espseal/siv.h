/* AES-SIV-CMAC-256 (RFC 5297) with exactly three components of associated data: header, session,
 * context. S2V is linear in each: D = S xor dbl(dbl(CMAC(header))), and S comes from the other two
 * alone, so that they cost nothing as long as they stay the same. */
#ifndef ESPSEAL_SIV_H
#define ESPSEAL_SIV_H

#include "sealed.h"

/* The keys of 32 bytes: 16 for CMAC, 16 for CTR; unbound. */
void espseal_siv_init(espseal_sealed_keys *keys, const uint8_t key[32]);

/* S2V over a header of 20 bytes, what the keys are bound to, and the plaintext. */
void espseal_siv_tag(espseal_sealed_keys *keys, const uint8_t *header, const uint8_t *data,
                     size_t data_bytes, uint8_t tag[16]);

/* Encrypts or decrypts in place, under a tag. */
void espseal_siv_crypt(const espseal_sealed_keys *keys, const uint8_t *tag, uint8_t *data,
                       size_t data_bytes);

#endif
