/* A device on a simulated board, and as much of a host as it needs to be spoken to. */
#ifndef WORLD_H
#define WORLD_H

#include "espseal/device_internal.h"
#include "sim.h"

typedef struct {
    sim board;
    espseal_device device;
    espseal_identity identity;
    /* The host's side. */
    uint8_t key[32];
    uint16_t epoch;
    uint64_t down;       /* the counter of its last frame */
    uint64_t up;         /* the highest counter that it opened */
    uint8_t session[16]; /* out of the last hello */
    uint8_t beacon[16];
    uint8_t frame[512];
    size_t frame_bytes;
    espseal_received received;
} world;

/* A new board, on which a provisioned device has begun. */
void world_init(world *of);

/* The device begins anew, as after a reset. */
espseal_error world_reset(world *of);

/* What the device sent: true, and `plaintext`, if it opens under a session, or unbound (NULL). */
bool host_opens(world *of, uint8_t *frame, size_t bytes, const uint8_t *session,
                const uint8_t **plaintext, size_t *plaintext_bytes);

/* The host publishes a beacon that starts with this byte. */
void host_beacon(world *of, uint8_t first);

/* The device says hello; the host opens it, under the beacon if it was bound. */
bool host_takes_hello(world *of);

/* Makes a downlink in of->frame, with the next counter. */
void host_seals(world *of, uint8_t kind, const uint8_t *session, const void *data, size_t bytes);

/* The same, and hands it to the device. */
espseal_verdict host_sends(world *of, uint8_t kind, const uint8_t *session, const void *data,
                           size_t bytes);
espseal_verdict host_commands(world *of, const char *command);
espseal_verdict host_welcomes(world *of, uint64_t floor);

/* Hands of->frame over once more. */
espseal_verdict replay(world *of, const uint8_t *frame, size_t bytes);

/* Whether the device answered with an acknowledgement of the frame in of->frame, under a session.
 */
bool acknowledged(world *of, const uint8_t *session);

/* Beacon, hello, welcome: `host_commands` works after it. */
bool meet(world *of);

/* Seals a reading and returns its counter; 0: refused. */
uint64_t seals(world *of, espseal_error *error);

#endif
