#include <string.h>

#include "bytes.h"
#include "sealed_parts.h"

espseal_error espseal_sealed_seal(espseal_sealed_keys *keys, const espseal_header *header,
                                  const void *data, size_t data_bytes, uint8_t *frame,
                                  size_t frame_capacity)
{
    espseal_reason reason;
    /* S1 */
    if (!espseal_place(frame, frame_capacity, data, data_bytes)) {
        espseal_wipe(frame, frame_capacity);
        return ESPSEAL_ERROR_FRAME_TOO_LONG;
    }
    /* S2 */
    frame[1] = (uint8_t)(header->flags | (keys->downlink ? ESPSEAL_DOWNLINK : 0) |
                         (keys->bound ? ESPSEAL_BOUND : 0));
    espseal_store_be(frame + 2, header->epoch, 2);
    memcpy(frame + 4, header->address, ESPSEAL_ADDRESS_BYTES);
    espseal_store_be(frame + 12, header->counter, 8);
    reason = ESPSEAL_PROBLEM_REASON(espseal_header_problem(frame));
    if (reason != ESPSEAL_NO_PROBLEM) {
        espseal_wipe(frame, ESPSEAL_OVERHEAD_BYTES + data_bytes);
        return reason == ESPSEAL_COUNTER_ZERO      ? ESPSEAL_ERROR_INVALID_COUNTER
               : reason == ESPSEAL_UNBOUND_CONTROL ? ESPSEAL_ERROR_SESSION_REQUIRED
                                                   : ESPSEAL_ERROR_INVALID_KIND;
    }
    /* S3, S4 */
    espseal_seal_in_place(keys, frame, data_bytes);
    return ESPSEAL_OK;
}
