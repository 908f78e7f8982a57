/* What the files of the device share. */
#ifndef ESPSEAL_DEVICE_INTERNAL_H
#define ESPSEAL_DEVICE_INTERNAL_H

#include "device.h"

#define ESPSEAL_RATCHET 1
#define ESPSEAL_ACK 2
#define ESPSEAL_WELCOME 3
#define ESPSEAL_QUERY_MODE 4
#define ESPSEAL_SET_MODE 5
#define ESPSEAL_MODE 6

/* Seals under the next counter, which is reserved in flash before. */
ESPSEAL_MUST_USE espseal_error espseal_device_seal_kind(espseal_device *device, uint8_t kind,
                                                        const uint8_t *session, const void *data,
                                                        size_t data_bytes, uint8_t *frame,
                                                        size_t frame_capacity);

/* Makes the keys of both directions out of the record's. */
void espseal_device_make_keys(espseal_device *device);

/* Milliseconds since a time; a device never runs for 49 days between two looks. */
uint32_t espseal_device_since(const espseal_device *device, uint32_t time);

/* Draws a session in place of the new one, which becomes the old one if it was welcomed. */
void espseal_device_draw(espseal_device *device);

/* The hello of the session that was drawn last. */
ESPSEAL_MUST_USE espseal_error espseal_device_say_hello(espseal_device *device,
                                                        const char *version, uint8_t *frame,
                                                        size_t *frame_bytes);

/* Says hello in so many milliseconds; 0: not at all. */
void espseal_device_hello_in(espseal_device *device, uint32_t wait);

/* Goes on to an epoch. Error: STORE_FAILED, and the epoch stays. */
ESPSEAL_MUST_USE espseal_error espseal_device_ratchet(espseal_device *device, uint16_t epoch);

#endif
