/* A sealed device (src/SEALED.md): its counter, its sessions, hello and welcome, commands, the
 * ratchet. It knows no transport: what it makes is published, what arrives is handed to it. Not
 * for use from an interrupt, or from two tasks. */
#ifndef ESPSEAL_DEVICE_H
#define ESPSEAL_DEVICE_H

#include "platform.h"
#include "sealed.h"
#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether: a word, since the chip's code for that is the shortest. */
typedef uint32_t espseal_flag;

/* A session that the device drew. */
typedef struct {
    uint64_t head; /* the counter of the last frame accepted under it */
    uint8_t drawn;
    uint8_t welcomed;
    uint8_t commands;                      /* false: drawn without a beacon */
    uint8_t id[2 * ESPSEAL_SESSION_BYTES]; /* the first half; what is derived is as long as this */
} espseal_session;

/* Everything that a device holds in RAM, secrets included. It points into itself: do not copy it.
 */
typedef struct {
    /* What is used most comes first, within reach of the chip's short instructions. */
    uint64_t next;           /* the counter to use next; 0: none is left */
    espseal_session *newest; /* that was drawn last; the other one came before */
    espseal_flag begun;
    espseal_flag asleep;
    espseal_flag old_over; /* the session before the newest has ended */
    espseal_flag heard_beacon;
    espseal_flag redraw; /* the next hello shows another session */
    espseal_flag welcomed;
    espseal_flag listening; /* whether it takes commands: set it after begin */
    uint32_t now;           /* all times are the platform's, in ms */
    uint32_t beacon_at;
    uint32_t began_at;
    uint32_t drawn_at;   /* when the old session became the old one */
    uint32_t asked_at;   /* when a hello may be asked for again */
    uint32_t hello_at;   /* when the next one is due */
    uint32_t hello_wait; /* how long until the one after it; 0: none is due */
    espseal_store store;
    espseal_session sessions[3]; /* the third is what an unbound frame comes under: none */
    uint8_t beacon[ESPSEAL_SESSION_BYTES];
    espseal_sealed_keys uplink;
    espseal_sealed_keys downlink;
} espseal_device;

/* Reads what the device must not forget. `identity` is stored when flash has none, or when another
 * was stored before; NULL uses what flash has. Errors: NO_IDENTITY, STORE_FAILED. */
ESPSEAL_MUST_USE espseal_error espseal_device_begin(espseal_device *device,
                                                    const espseal_platform *platform,
                                                    const espseal_identity *identity);

/* Seals a reading; `frame` needs room for 36 bytes more. Errors: NOT_BEGUN, ASLEEP,
 * FRAME_TOO_LONG, COUNTER_EXHAUSTED, STORE_FAILED; nothing is in `frame` then. */
ESPSEAL_MUST_USE espseal_error espseal_device_seal(espseal_device *device, const void *data,
                                                   size_t data_bytes, uint8_t *frame,
                                                   size_t frame_capacity);

/* Whether readings may go out: the host has lifted the counter, or was silent for 10 s. */
bool espseal_device_ready(const espseal_device *device);

/* To be called when a connection was made: the device says hello once the beacon had time to come,
 * but not on waking from deep sleep, unless it listens. */
void espseal_device_connected(espseal_device *device);

/* Looks at the clock; whether it is time to say hello. To be called often, and before the others
 * if it was not for long. */
bool espseal_device_hello_due(espseal_device *device);

/* Makes the hello, once there are random numbers. `version` is the firmware's, UTF-8, 32 bytes at
 * most. `frame` has room for ESPSEAL_HELLO_FRAME_BYTES_MAX. Errors as of seal. */
ESPSEAL_MUST_USE espseal_error espseal_device_hello(espseal_device *device, const char *version,
                                                    uint8_t *frame, size_t *frame_bytes);

/* What came on the beacon topic: 32 hex digits; false, and ignored, if it is something else. */
bool espseal_device_heard_beacon(espseal_device *device, const uint8_t *payload, size_t bytes);

/* An empty message came on the `down` topic: the host asks for a hello. */
void espseal_device_asked(espseal_device *device);

/* What else came there. */
typedef struct {
    const uint8_t *command; /* into the frame; NULL: there is none */
    size_t command_bytes;
    espseal_problem problem; /* of a malformed one */
    size_t reply_bytes;      /* of what is to be published on the `up` topic; 0: nothing */
    uint8_t reply[ESPSEAL_ACK_FRAME_BYTES];
} espseal_received;

/* Opens it in place. A verdict of `fresh` carries a command, or was for the device itself. */
ESPSEAL_MUST_USE espseal_verdict espseal_device_receive(espseal_device *device, uint8_t *frame,
                                                        size_t frame_bytes,
                                                        espseal_received *received);

/* Hands the counter to the next wake from deep sleep. Nothing can be sealed after it. Error:
 * NOT_BEGUN, ASLEEP, STORE_FAILED; then the next wake resumes at the ceiling. */
ESPSEAL_MUST_USE espseal_error espseal_device_sleep(espseal_device *device);

#ifdef __cplusplus
}
#endif
#endif
