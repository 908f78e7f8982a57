/* The closed vocabularies: what a frame was, why it is none, what the caller did wrong. The words
 * are the same in Rust, Python, JavaScript, Lua and the test vectors. */
#ifndef ESPSEAL_WORDS_H
#define ESPSEAL_WORDS_H

#include <stdint.h>

#include "config.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a receiver says of a frame, in the order in which it is decided. */
typedef enum {
    ESPSEAL_MALFORMED,       /* no frame: the problem says what is wrong, and where */
    ESPSEAL_WRONG_DIRECTION, /* an uplink where downlinks are expected, or the reverse */
    ESPSEAL_UNKNOWN_DEVICE,  /* for another address */
    ESPSEAL_REVOKED,         /* hosts only */
    ESPSEAL_WRONG_EPOCH,     /* sealed under the key of another epoch */
    ESPSEAL_FORGED,          /* tampered with, or another key: cannot be told apart */
    ESPSEAL_STALE_SESSION,   /* verified, but under an old session, or under none */
    ESPSEAL_DOWNGRADED,      /* hosts only */
    ESPSEAL_REPLAYED,        /* verified; its counter is below the head */
    ESPSEAL_DUPLICATE,       /* verified; it is the one that was accepted last */
    ESPSEAL_FRESH            /* verified and new: the only one that carries data */
} espseal_verdict;

/* "fresh", "stale_session" and so on. */
const char *espseal_verdict_word(espseal_verdict verdict);

/* What is wrong with a malformed frame. */
typedef enum {
    ESPSEAL_NO_PROBLEM,
    ESPSEAL_TOO_LONG,
    ESPSEAL_UNRECOGNISED,
    ESPSEAL_FIELD_LENGTH,
    ESPSEAL_NOT_HEX,
    ESPSEAL_MISSING_SEPARATOR,
    ESPSEAL_PORT_LENGTH,
    ESPSEAL_TOO_SHORT,
    ESPSEAL_UNSUPPORTED_VERSION,
    ESPSEAL_RESERVED_BITS,
    ESPSEAL_UNKNOWN_KIND,
    ESPSEAL_DOWNLINK_HELLO,
    ESPSEAL_UNBOUND_CONTROL,
    ESPSEAL_COUNTER_ZERO,
    ESPSEAL_NOT_BASE64URL,
    ESPSEAL_ARMOR_LENGTH,
    ESPSEAL_TRAILING_BITS
} espseal_reason;

/* A reason and the offset in the frame where it shows, in bytes from 0; 0 is no problem. */
typedef uint32_t espseal_problem;
#define ESPSEAL_PROBLEM(reason, offset) ((espseal_problem)(reason) | (espseal_problem)(offset) << 8)
#define ESPSEAL_PROBLEM_REASON(problem) ((espseal_reason)((problem)&0xff))
#define ESPSEAL_PROBLEM_OFFSET(problem) ((problem) >> 8)

/* "too_long", "not_hex" and so on. */
const char *espseal_reason_word(espseal_reason reason);

/* What the caller, or the board, did wrong. */
typedef enum {
    ESPSEAL_OK,
    ESPSEAL_ERROR_DATA_ENDS_IN_NUL,  /* classic text data: its end could not be told from padding */
    ESPSEAL_ERROR_FRAME_TOO_LONG,    /* more than a frame, or the buffer given for it, can hold */
    ESPSEAL_ERROR_INVALID_NODE_ID,   /* 1 to 15 bytes, without NUL and '>' */
    ESPSEAL_ERROR_SESSION_REQUIRED,  /* of this frame: it is not without one */
    ESPSEAL_ERROR_NO_SESSION,        /* no session ID was heard yet, or none that is young enough */
    ESPSEAL_ERROR_WRONG_KEY_LENGTH,  /* AES keys have 16, 24 or 32 bytes, the passphrase at least 1
                                      */
    ESPSEAL_ERROR_ARTICLE_KEYS,      /* keys that are printed in the article: draw new ones */
    ESPSEAL_ERROR_PLACEHOLDER_KEYS,  /* the example's keys: put in those of your keyring */
    ESPSEAL_ERROR_INVALID_KIND,      /* there is no such frame in this direction */
    ESPSEAL_ERROR_INVALID_COUNTER,   /* counters start at 1 */
    ESPSEAL_ERROR_COUNTER_EXHAUSTED, /* counter 2^64-1 is used: the device needs a new key */
    ESPSEAL_ERROR_NO_IDENTITY,       /* neither flash nor the sketch has an address and a key */
    ESPSEAL_ERROR_STORE_FAILED,      /* flash could not be read or written; nothing was sealed */
    ESPSEAL_ERROR_ASLEEP,            /* the counter was handed to the next wake */
    ESPSEAL_ERROR_NOT_BEGUN,         /* begin was not called, or failed */
    ESPSEAL_ERROR_OUTBOX_FULL,       /* more readings wait than there is room for */
    ESPSEAL_ERROR_INVALID_FLEET      /* the name of a fleet has 32 bytes at most */
} espseal_error;

/* "ok", "frame_too_long" and so on. */
const char *espseal_error_word(espseal_error error);

#ifdef __cplusplus
}
#endif
#endif
