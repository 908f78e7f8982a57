/* What a program links that seals and opens classic frames and nothing else. */
#include "board.h"
#include "espseal/classic.h"

espseal_classic_keys keys;
espseal_classic_secrets secrets;
espseal_classic_reading reading;
espseal_classic_message message;
uint8_t frame[64];
size_t frame_bytes;
volatile int result;

static void fill(void *context, uint8_t *bytes, size_t count)
{
    (void)context;
    while (count-- > 0) {
        *bytes++ = 4;
    }
}

int main(void)
{
    result = espseal_classic_keys_init(&keys, &secrets, 0, false);
    result = espseal_classic_seal(&keys, &reading, fill, NULL, frame, sizeof frame, &frame_bytes);
    result = (int)espseal_classic_parse(frame, sizeof frame, 0, &message);
    result = espseal_classic_open(&keys, &message, frame, 1, 32, NULL, 0);
    return 0;
}
