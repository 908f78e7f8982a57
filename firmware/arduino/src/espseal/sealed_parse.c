#include <string.h>

#include "bytes.h"
#include "sealed_parts.h"

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
    return espseal_header_problem(frame);
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
