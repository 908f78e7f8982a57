/* Small things that every part needs. */
#ifndef ESPSEAL_BYTES_H
#define ESPSEAL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zeros that the compiler does not drop. */
void espseal_wipe(void *bytes, size_t count);

/* Whether they are equal; takes the same time whatever they hold. */
bool espseal_equal(const void *a, const void *b, size_t count);

/* to ^= with */
void espseal_xor(uint8_t *to, const uint8_t *with, size_t count);

/* The `count` lowest bytes of a number, the highest first. */
void espseal_store_be(uint8_t *to, uint64_t value, size_t count);
uint64_t espseal_load_be(const uint8_t *from, size_t count);

/* Twice as many digits; `letter` is 'a' or 'A'. `digits` may end where `bytes` end. */
void espseal_hex(uint8_t *digits, const uint8_t *bytes, size_t count, uint8_t letter);

/* `count` bytes out of twice as many digits of either case, in place if `bytes` is `digits`. What
 * comes back is where the first other character is: 2 * count if there is none. */
size_t espseal_unhex(uint8_t *bytes, const uint8_t *digits, size_t count);

/* Whether all are hex digits of either case. */
bool espseal_all_hex(const uint8_t *digits, size_t count);

#ifdef __cplusplus
}
#endif
#endif
