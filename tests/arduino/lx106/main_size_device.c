/* What a program links that is a sealed device with everything to it. */
#include "board.h"
#include "espseal/device.h"

espseal_device device;
espseal_platform platform;
espseal_identity identity;
espseal_received received;
uint8_t frame[300];
size_t frame_bytes;
volatile int result;

int main(void)
{
    result = espseal_device_begin(&device, &platform, &identity);
    result = espseal_device_seal(&device, frame, 20, frame, sizeof frame);
    result = espseal_device_ready(&device);
    espseal_device_connected(&device);
    result = espseal_device_hello_due(&device);
    result = espseal_device_hello(&device, "1", frame, &frame_bytes);
    result = espseal_device_heard_beacon(&device, frame, 32);
    espseal_device_asked(&device);
    result = espseal_device_receive(&device, frame, sizeof frame, &received);
    result = espseal_device_sleep(&device);
    return 0;
}
