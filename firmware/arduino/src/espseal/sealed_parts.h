/* Steps that two operations share and no program has twice. */
#ifndef ESPSEAL_SEALED_PARTS_H
#define ESPSEAL_SEALED_PARTS_H

#include <string.h>

#include "bytes.h"
#include "siv.h"

/* S1: makes room for a header and a tag in front of the data, and writes the magic; false if it is
 * too small. */
static inline bool espseal_place(uint8_t *frame, size_t frame_capacity, const void *data,
                                 size_t data_bytes)
{
    if (data_bytes > ESPSEAL_SEALED_FRAME_BYTES_MAX - ESPSEAL_OVERHEAD_BYTES ||
        frame_capacity < data_bytes + ESPSEAL_OVERHEAD_BYTES) {
        return false;
    }
    if (data_bytes > 0) {
        memmove(frame + ESPSEAL_OVERHEAD_BYTES, data, data_bytes);
    }
    frame[0] = ESPSEAL_MAGIC;
    return true;
}

/* S3, S4: the tag of a frame whose header and plaintext are in place, and the ciphertext. */
static inline void espseal_seal_in_place(espseal_sealed_keys *keys, uint8_t *frame,
                                         size_t data_bytes)
{
    uint8_t *const tag = frame + ESPSEAL_HEADER_BYTES;
    uint8_t *const data = frame + ESPSEAL_OVERHEAD_BYTES;
    espseal_siv_tag(keys, frame, data, data_bytes, tag);
    espseal_siv_crypt(keys, tag, data, data_bytes);
}

/* O3, O4, of a header; or no problem. */
static inline espseal_problem espseal_header_problem(const uint8_t *header)
{
    const uint8_t flags = header[1];
    /* O3 */
    if (flags > 0x0f) {
        return ESPSEAL_PROBLEM(ESPSEAL_RESERVED_BITS, 1);
    }
    if (flags >= ESPSEAL_KIND_MASK) {
        return ESPSEAL_PROBLEM(ESPSEAL_UNKNOWN_KIND, 1);
    }
    /* O4 */
    if ((flags & ~ESPSEAL_BOUND) == (ESPSEAL_HELLO | ESPSEAL_DOWNLINK)) {
        return ESPSEAL_PROBLEM(ESPSEAL_DOWNLINK_HELLO, 1);
    }
    if ((flags & ~ESPSEAL_DOWNLINK) == ESPSEAL_CONTROL) {
        return ESPSEAL_PROBLEM(ESPSEAL_UNBOUND_CONTROL, 1);
    }
    if (espseal_load_be(header + 12, 8) == 0) {
        return ESPSEAL_PROBLEM(ESPSEAL_COUNTER_ZERO, 12);
    }
    return ESPSEAL_NO_PROBLEM;
}

#endif
