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

/* To be called before each frame: whether one can be sealed. The next counter is reserved in flash
 * then. */
ESPSEAL_MUST_USE espseal_error espseal_device_reserve(espseal_device *device);

/* Seals the data that is in its place in the frame already, under the next counter. */
void espseal_device_finish(espseal_device *device, unsigned kind, const uint8_t *session,
                           uint8_t *frame, size_t data_bytes);

/* Makes the keys of both directions out of the record's. */
void espseal_device_make_keys(espseal_device *device);

/* Says hello in so many milliseconds, then again with backoff. */
void espseal_device_hello_in(espseal_device *device, uint32_t wait);

/* Makes so many steps; false, and the epoch stays, if that cannot be stored. The keys are to be
 * made then: not here, where a record lies on the stack. */
ESPSEAL_MUST_USE bool espseal_device_ratchet(espseal_device *device, unsigned steps);

#endif
