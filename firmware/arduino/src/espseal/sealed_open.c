#include "bytes.h"
#include "siv.h"

bool espseal_sealed_open(espseal_sealed_keys *keys, uint8_t *frame, size_t frame_bytes)
{
    const uint8_t *const tag = frame + ESPSEAL_HEADER_BYTES;
    uint8_t *const data = frame + ESPSEAL_OVERHEAD_BYTES;
    const size_t data_bytes = frame_bytes - ESPSEAL_OVERHEAD_BYTES;
    uint8_t expected[ESPSEAL_TAG_BYTES];

    /* O6 to O8 */
    espseal_siv_crypt(keys, tag, data, data_bytes);
    espseal_siv_tag(keys, frame, data, data_bytes, expected);
    if (espseal_equal(expected, tag, sizeof expected)) {
        return true;
    }
    espseal_wipe(data, data_bytes);
    return false;
}
