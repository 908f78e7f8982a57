#include <string.h>

#include "bytes.h"
#include "siv.h"

espseal_error espseal_sealed_seal(espseal_sealed_keys *keys, const espseal_header *header,
                                  const void *data, size_t data_bytes, uint8_t *frame,
                                  size_t frame_capacity)
{
    uint8_t *const tag = frame + ESPSEAL_HEADER_BYTES;
    uint8_t *const plaintext = frame + ESPSEAL_OVERHEAD_BYTES;
    espseal_header parsed;
    espseal_reason problem;

    /* S1 */
    if (frame_capacity > ESPSEAL_SEALED_FRAME_BYTES_MAX) {
        frame_capacity = ESPSEAL_SEALED_FRAME_BYTES_MAX;
    }
    if (frame_capacity < ESPSEAL_OVERHEAD_BYTES ||
        data_bytes > frame_capacity - ESPSEAL_OVERHEAD_BYTES) {
        espseal_wipe(frame, frame_capacity);
        return ESPSEAL_ERROR_FRAME_TOO_LONG;
    }
    /* S2. The plaintext first: it may lie anywhere in the buffer. */
    if (data_bytes > 0) {
        memmove(plaintext, data, data_bytes);
    }
    frame[0] = ESPSEAL_MAGIC;
    frame[1] = (uint8_t)(header->flags | (keys->downlink ? ESPSEAL_DOWNLINK : 0) |
                         (keys->bound ? ESPSEAL_BOUND : 0));
    espseal_store_be(frame + 2, header->epoch, 2);
    memcpy(frame + 4, header->address, ESPSEAL_ADDRESS_BYTES);
    espseal_store_be(frame + 12, header->counter, 8);
    problem = ESPSEAL_PROBLEM_REASON(espseal_sealed_parse(frame, ESPSEAL_OVERHEAD_BYTES, &parsed));
    if (problem != ESPSEAL_NO_PROBLEM) {
        espseal_wipe(frame, ESPSEAL_OVERHEAD_BYTES + data_bytes);
        return problem == ESPSEAL_COUNTER_ZERO      ? ESPSEAL_ERROR_INVALID_COUNTER
               : problem == ESPSEAL_UNBOUND_CONTROL ? ESPSEAL_ERROR_SESSION_REQUIRED
                                                    : ESPSEAL_ERROR_INVALID_KIND;
    }
    /* S3, S4 */
    espseal_siv_tag(keys, frame, plaintext, data_bytes, tag);
    espseal_siv_crypt(keys, tag, plaintext, data_bytes);
    return ESPSEAL_OK;
}
