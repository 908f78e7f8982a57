#include "words.h"

#include <stddef.h>

/* One string with the words one after the other: an array of pointers would cost four more bytes
 * of RAM for each. */
static const char *nth(const char *words, unsigned n)
{
    while (n-- > 0) {
        while (*words++ != '\0') {
        }
    }
    return words;
}

const char *espseal_verdict_word(espseal_verdict verdict)
{
    return nth("malformed\0wrong_direction\0unknown_device\0revoked\0wrong_epoch\0forged\0"
               "stale_session\0downgraded\0replayed\0duplicate\0fresh",
               (unsigned)verdict);
}

const char *espseal_reason_word(espseal_reason reason)
{
    return nth("none\0too_long\0unrecognised\0field_length\0not_hex\0missing_separator\0"
               "port_length\0too_short\0unsupported_version\0reserved_bits\0unknown_kind\0"
               "downlink_hello\0"
               "unbound_control\0counter_zero\0not_base64url\0armor_length\0trailing_bits",
               (unsigned)reason);
}

const char *espseal_error_word(espseal_error error)
{
    return nth("ok\0data_ends_in_nul\0frame_too_long\0invalid_node_id\0session_required\0"
               "no_session\0wrong_key_length\0article_keys\0placeholder_keys\0invalid_"
               "kind\0invalid_counter\0"
               "counter_exhausted\0no_identity\0store_failed\0asleep\0not_begun\0outbox_"
               "full\0invalid_fleet",
               (unsigned)error);
}
