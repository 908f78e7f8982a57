/* The sealed frame (src/SEALED.md), without state: what the device in device.h is made of. The
 * counter is an argument here: a program uses device.h, which keeps it. */
#ifndef ESPSEAL_SEALED_H
#define ESPSEAL_SEALED_H

#include <bearssl/bearssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "words.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The first byte of a frame, and the bits of the second. */
#define ESPSEAL_MAGIC 0xf5
#define ESPSEAL_DOWNLINK 0x01
#define ESPSEAL_BOUND 0x02
#define ESPSEAL_DATA 0x00
#define ESPSEAL_HELLO 0x04
#define ESPSEAL_CONTROL 0x08
#define ESPSEAL_KIND_MASK 0x0c

typedef struct {
    uint8_t flags; /* direction, bound, kind */
    uint16_t epoch;
    uint8_t address[ESPSEAL_ADDRESS_BYTES];
    uint64_t counter; /* from 1 */
} espseal_header;

/* The key of one direction, expanded, with what stays the same from frame to frame. It holds a
 * secret: wipe it when it is no longer needed. */
typedef struct {
    uint8_t subkey[16];     /* CMAC's K1 */
    uint8_t s[16];          /* what session and context contribute to S2V */
    uint8_t session[16];    /* which session that is */
    uint8_t header[16];     /* how the last header began */
    uint8_t header_mac[16]; /* and AES of that */
    uint8_t downlink;
    uint8_t bound;
    br_aes_ct_ctrcbc_keys mac;
    br_aes_ct_ctr_keys ctr;
} espseal_sealed_keys;

/* Makes the keys of a direction (`downlink`: host to device) out of the device key, unbound. */
void espseal_sealed_keys_init(espseal_sealed_keys *keys,
                              const uint8_t device_key[ESPSEAL_DEVICE_KEY_BYTES], bool downlink);

/* Binds what is sealed and opened from now on to a session of 16 bytes, or to none (NULL). */
void espseal_sealed_bind(espseal_sealed_keys *keys, const uint8_t *session);

/* The same, with a context that both ends agree on. */
void espseal_sealed_bind_context(espseal_sealed_keys *keys, const uint8_t *session,
                                 const void *context, size_t context_bytes);

/* S1 to S5. `flags` of the header: the kind alone; direction and session are the keys'. `frame`
 * has room for `data_bytes` + 36; `data` may be frame + 36. Errors: FRAME_TOO_LONG,
 * INVALID_KIND, SESSION_REQUIRED (a control frame), INVALID_COUNTER; the frame is wiped then. */
ESPSEAL_MUST_USE espseal_error espseal_sealed_seal(espseal_sealed_keys *keys,
                                                   const espseal_header *header, const void *data,
                                                   size_t data_bytes, uint8_t *frame,
                                                   size_t frame_capacity);

/* O2 to O4: what the frame claims. 0, or what is wrong with it. */
ESPSEAL_MUST_USE espseal_problem espseal_sealed_parse(const uint8_t *frame, size_t frame_bytes,
                                                      espseal_header *header);

/* O6 to O8, for a frame that was parsed: opens it in place; its data is then frame + 36,
 * frame_bytes - 36 bytes. False: it does not verify, and the data is wiped. */
ESPSEAL_MUST_USE bool espseal_sealed_open(espseal_sealed_keys *keys, uint8_t *frame,
                                          size_t frame_bytes);

/* The armor of a frame: 4 characters for 3 bytes, without an ending NUL; what comes back is how
 * many, `text` has room for them. */
size_t espseal_armor(const uint8_t *frame, size_t frame_bytes, char *text);

/* O1: the frame of an armor. `frame` may be `text`. */
ESPSEAL_MUST_USE espseal_problem espseal_disarm(const char *text, size_t text_bytes, uint8_t *frame,
                                                size_t *frame_bytes);

#ifdef __cplusplus
}
#endif
#endif
