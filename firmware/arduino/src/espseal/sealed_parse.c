#include <string.h>

#include "bytes.h"
#include "siv.h"

espseal_problem espseal_sealed_problem(const uint8_t *header)
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

espseal_problem espseal_sealed_check(const uint8_t *frame, size_t frame_bytes)
{
    /* O2 */
    if (frame_bytes > ESPSEAL_SEALED_FRAME_BYTES_MAX) {
        return ESPSEAL_PROBLEM(ESPSEAL_TOO_LONG, ESPSEAL_SEALED_FRAME_BYTES_MAX);
    }
    if (frame_bytes < ESPSEAL_OVERHEAD_BYTES) {
        return ESPSEAL_PROBLEM(ESPSEAL_TOO_SHORT, frame_bytes);
    }
    if (frame[0] != ESPSEAL_MAGIC) {
        return ESPSEAL_PROBLEM(ESPSEAL_UNSUPPORTED_VERSION, 0);
    }
    return espseal_sealed_problem(frame);
}

espseal_problem espseal_sealed_parse(const uint8_t *frame, size_t frame_bytes,
                                     espseal_header *header)
{
    const espseal_problem problem = espseal_sealed_check(frame, frame_bytes);
    if (problem == ESPSEAL_NO_PROBLEM) {
        header->flags = frame[1];
        header->epoch = (uint16_t)espseal_load_be(frame + 2, 2);
        memcpy(header->address, frame + 4, ESPSEAL_ADDRESS_BYTES);
        header->counter = espseal_load_be(frame + 12, 8);
    }
    return problem;
}
