/* A classic node (src/CLASSIC.md): the session IDs that it hears and seals under, and those that it
 * draws for commands. It knows no transport. Not for use from an interrupt, or from two tasks. */
#ifndef ESPSEAL_CLASSIC_DEVICE_H
#define ESPSEAL_CLASSIC_DEVICE_H

#include "classic.h"
#include "platform.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESPSEAL_CLASSIC_KNOWN (ESPSEAL_CLASSIC_DRAWN + ESPSEAL_CLASSIC_USED)

/* Everything that a node holds in RAM, secrets included. */
typedef struct {
    const espseal_platform *platform;
    const char *node; /* its ID, 1 to 15 bytes; not copied */
    size_t node_bytes;
    uint32_t now; /* all times are the platform's, in ms */
    uint32_t session_at;
    uint32_t candidate_at;
    uint32_t drawn_at;
    bool has_session;
    bool has_candidate;
    uint8_t session[ESPSEAL_CLASSIC_SESSION_DIGITS];
    uint8_t candidate[ESPSEAL_CLASSIC_SESSION_DIGITS];
    /* For commands: the ones drawn, the newest first, then the ones used, with the frame that did.
     */
    bool known[ESPSEAL_CLASSIC_KNOWN];
    uint8_t ids[ESPSEAL_CLASSIC_KNOWN][ESPSEAL_CLASSIC_SESSION_DIGITS];
    uint8_t macs[ESPSEAL_CLASSIC_KNOWN][ESPSEAL_CLASSIC_MAC_BYTES];
    espseal_classic_keys sealing;
    espseal_classic_keys opening;
} espseal_classic_device;

/* Errors: WRONG_KEY_LENGTH, ARTICLE_KEYS, PLACEHOLDER_KEYS, INVALID_NODE_ID. */
ESPSEAL_MUST_USE espseal_error espseal_classic_device_begin(espseal_classic_device *device,
                                                            const espseal_platform *platform,
                                                            const espseal_classic_secrets *secrets,
                                                            unsigned scheme, const char *node,
                                                            bool allow_article_keys);

/* What came on the session topic: 32 hex digits; false, and ignored, if it is something else. It
 * counts once it has stood for a second, for the host answers a false one at once. */
bool espseal_classic_device_heard(espseal_classic_device *device, const uint8_t *payload,
                                  size_t bytes);

/* Looks at the clock; whether there is a session ID to seal under. To be called often, and before
 * the others if it was not for long. */
bool espseal_classic_device_ready(espseal_classic_device *device);

/* Seals a reading. Errors: NO_SESSION, DATA_ENDS_IN_NUL, FRAME_TOO_LONG. */
ESPSEAL_MUST_USE espseal_error espseal_classic_device_seal(espseal_classic_device *device,
                                                           const void *data, size_t data_bytes,
                                                           uint8_t *frame, size_t frame_capacity,
                                                           size_t *frame_bytes);

/* The session to show, retained, on the command-session topic: 32 digits. Another one once it is
 * used, or 60 s old. Only once there are random numbers. */
const uint8_t *espseal_classic_device_shown(espseal_classic_device *device);

/* Opens what came on the command topic, in place: FRESH, and message->data is the command;
 * MALFORMED, FORGED, WRONG_DIRECTION, DUPLICATE or STALE_SESSION. */
ESPSEAL_MUST_USE espseal_verdict espseal_classic_device_receive(espseal_classic_device *device,
                                                                uint8_t *frame, size_t frame_bytes,
                                                                espseal_classic_message *message);

#ifdef __cplusplus
}
#endif
#endif
