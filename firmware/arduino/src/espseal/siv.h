/* AES-SIV-CMAC-256 (RFC 5297) with exactly three components of associated data: header, session,
 * context. S2V is linear in each: D = S xor dbl(dbl(CMAC(header))), and S comes from the other two
 * alone, so that they cost nothing as long as they stay the same. */
#ifndef ESPSEAL_SIV_H
#define ESPSEAL_SIV_H

#include "sealed.h"

/* The keys of 32 bytes: 16 for CMAC, 16 for CTR; unbound. */
void espseal_siv_init(espseal_sealed_keys *keys, const uint8_t key[32]);

/* S2V over a header of 20 bytes, what the keys are bound to, and the plaintext, which is as it was
 * when the tag is there. */
void espseal_siv_tag(espseal_sealed_keys *keys, const uint8_t *header, uint8_t *data,
                     size_t data_bytes, uint8_t tag[16]);

/* Encrypts or decrypts in place, under a tag. */
void espseal_siv_crypt(const espseal_sealed_keys *keys, const uint8_t *tag, uint8_t *data,
                       size_t data_bytes);

/* S1: makes room for a header and a tag in front of the data, and writes the magic; false, and the
 * buffer is wiped, if it is too small. */
bool espseal_sealed_place(uint8_t *frame, size_t frame_capacity, const void *data,
                          size_t data_bytes);

/* O2 to O4, of a whole frame. */
espseal_problem espseal_sealed_check(const uint8_t *frame, size_t frame_bytes);

#endif
