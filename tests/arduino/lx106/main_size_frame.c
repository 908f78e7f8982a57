/* What a program links that seals and opens frames and nothing else. */
#include "board.h"
#include "espseal/sealed.h"

espseal_sealed_keys keys;
espseal_header header;
uint8_t frame[64];
volatile int result;

int main(void)
{
    espseal_sealed_keys_init(&keys, frame, false);
    result = espseal_sealed_seal(&keys, &header, frame, 1, frame, sizeof frame);
    result = (int)espseal_sealed_parse(frame, sizeof frame, &header);
    result = espseal_sealed_open(&keys, frame, sizeof frame);
    return 0;
}
