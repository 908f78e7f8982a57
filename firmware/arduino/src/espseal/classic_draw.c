#include "bytes.h"
#include "classic.h"

/* S2, P1: sixteen hex digits are among what the article's "%8x%8x" can print. */
espseal_error espseal_classic_seal(const espseal_classic_keys *keys,
                                   const espseal_classic_reading *reading,
                                   void (*random)(void *context, uint8_t *bytes, size_t count),
                                   void *random_context, uint8_t *frame, size_t frame_capacity,
                                   size_t *frame_bytes)
{
    uint8_t iv[16];
    random(random_context, iv + 8, 8);
    espseal_hex(iv, iv + 8, 8, 'a');
    if ((keys->scheme & ESPSEAL_CLASSIC_PORT) != 0) {
        iv[15] = 1;
    }
    return espseal_danger_classic_seal_with_iv(keys, reading, iv, frame, frame_capacity,
                                               frame_bytes);
}
