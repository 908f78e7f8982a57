/* The classic frame (src/CLASSIC.md), without state: what classic_device.h is made of. */
#ifndef ESPSEAL_CLASSIC_H
#define ESPSEAL_CLASSIC_H

#include <bearssl/bearssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "words.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a group's frames are written. */
#define ESPSEAL_CLASSIC_HEX 0x00
#define ESPSEAL_CLASSIC_RAW 0x01
#define ESPSEAL_CLASSIC_PORT 0x02          /* opening: bare hex digits are a frame */
#define ESPSEAL_CLASSIC_BINARY_DATA 0x04   /* data may end in NULs */
#define ESPSEAL_CLASSIC_PADDED_MAC 0x08    /* the MAC is over the padded values */
#define ESPSEAL_DANGER_ACCEPT_REPLAYS 0x10 /* the empty session is allowed */

/* The keys of a group as bytes. */
typedef struct {
    const uint8_t *iv_key;
    const uint8_t *data_key;
    const uint8_t *static_iv; /* 16 bytes */
    const uint8_t *passphrase;
    size_t iv_key_bytes;   /* 16, 24 or 32 */
    size_t data_key_bytes; /* 16, 24 or 32 */
    size_t passphrase_bytes;
} espseal_classic_secrets;

/* The keys, expanded for one direction. It holds secrets: wipe it when it is no longer needed. */
typedef struct {
    union {
        br_aes_ct_cbcenc_keys seal;
        br_aes_ct_cbcdec_keys open;
    } iv_key, data_key;
    uint8_t static_iv[16];
    uint8_t passphrase[64]; /* or its hash, if it is longer */
    uint8_t passphrase_bytes;
    uint8_t scheme;
} espseal_classic_keys;

/* `scheme` is a sum of the above, `opening` the direction. Error: WRONG_KEY_LENGTH. */
ESPSEAL_MUST_USE espseal_error espseal_classic_keys_init(espseal_classic_keys *keys,
                                                         const espseal_classic_secrets *secrets,
                                                         unsigned scheme, bool opening);

/* What is sealed. Layout port has no node ID and no session. */
typedef struct {
    const char *node; /* who sends; NULL: the host, a command */
    size_t node_bytes;
    const char *to; /* the node that it goes to, or NULL: the host */
    size_t to_bytes;
    const uint8_t *data;
    size_t data_bytes;
    const uint8_t *session; /* the digits themselves */
    size_t session_bytes;
} espseal_classic_reading;

/* S1 to S6, P1 to P3; the IV is drawn from `random`. `data` must not lie in the frame's buffer.
 * Errors: INVALID_NODE_ID, DATA_ENDS_IN_NUL, SESSION_REQUIRED, FRAME_TOO_LONG. */
ESPSEAL_MUST_USE espseal_error espseal_classic_seal(
    const espseal_classic_keys *keys, const espseal_classic_reading *reading,
    void (*random)(void *context, uint8_t *bytes, size_t count), void *random_context,
    uint8_t *frame, size_t frame_capacity, size_t *frame_bytes);

/* The same with an IV of the caller's. An IV that repeats shows which readings are equal: only for
 * vectors. */
ESPSEAL_MUST_USE espseal_error espseal_danger_classic_seal_with_iv(
    const espseal_classic_keys *keys, const espseal_classic_reading *reading, const uint8_t iv[16],
    uint8_t *frame, size_t frame_capacity, size_t *frame_bytes);

/* What a frame holds: pointers into it. */
typedef struct {
    uint8_t *iv;   /* 16 bytes */
    uint8_t *node; /* the node field, `node_bytes` long; `from` of it name the sender */
    uint8_t *data;
    size_t node_bytes;
    size_t from_bytes;
    size_t data_bytes;
    size_t session; /* which of the sessions it verified under */
    uint8_t mac[ESPSEAL_CLASSIC_MAC_BYTES];
    bool port;
} espseal_classic_message;

/* O1 to O3. Decodes the frame in place; 0, or what is wrong with it. */
ESPSEAL_MUST_USE espseal_problem espseal_classic_parse(uint8_t *frame, size_t frame_bytes,
                                                       unsigned scheme,
                                                       espseal_classic_message *message);

/* O4 to O8, P3, for a frame that was parsed: FRESH, FORGED or WRONG_DIRECTION. `sessions` are
 * `session_count` IDs of `session_bytes` each. `to` is the node that opens, and takes commands and
 * messages to itself; NULL takes readings. What fails is wiped. */
ESPSEAL_MUST_USE espseal_verdict espseal_classic_open(const espseal_classic_keys *keys,
                                                      espseal_classic_message *message,
                                                      const uint8_t *sessions, size_t session_count,
                                                      size_t session_bytes, const char *to,
                                                      size_t to_bytes);

#ifdef __cplusplus
}
#endif
#endif
