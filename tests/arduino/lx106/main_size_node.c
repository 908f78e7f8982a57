/* What a program links that is a classic node with everything to it. */
#include "board.h"
#include "espseal/classic_device.h"

espseal_classic_device device;
espseal_platform platform;
espseal_classic_secrets secrets;
espseal_classic_message message;
uint8_t frame[300];
size_t frame_bytes;
volatile int result;

int main(void)
{
    result = espseal_classic_device_begin(&device, &platform, &secrets, 0, "1", false);
    result = espseal_classic_device_heard(&device, frame, 32);
    result = espseal_classic_device_ready(&device);
    result = espseal_classic_device_seal(&device, frame, 1, frame, sizeof frame, &frame_bytes);
    result = *espseal_classic_device_shown(&device);
    result = espseal_classic_device_receive(&device, frame, sizeof frame, &message);
    return 0;
}
