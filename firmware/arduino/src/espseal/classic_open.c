#include <string.h>

#include "bytes.h"
#include "classic.h"
#include "hmac.h"

static bool mac_fits(const espseal_classic_keys *keys, const espseal_part *parts, size_t count,
                     const uint8_t *expected)
{
    uint8_t mac[ESPSEAL_CLASSIC_MAC_BYTES];
    espseal_hmac(&br_sha1_vtable, keys->passphrase, keys->passphrase_bytes, parts, count, mac);
    return espseal_equal(mac, expected, sizeof mac);
}

/* How long it is without NULs at its end. */
static size_t stripped(const uint8_t *bytes, size_t count)
{
    while (count > 0 && bytes[count - 1] == 0) {
        count--;
    }
    return count;
}

/* P3: the tag first; then the padding, which a receiver that holds the key may look at. */
static bool open_port(const espseal_classic_keys *keys, espseal_classic_message *message,
                      uint8_t *chain)
{
    const espseal_part parts[] = {{message->iv, 16}, {message->data, message->data_bytes}};
    const bool fits = mac_fits(keys, parts, 2, message->mac);
    uint8_t padding, at;
    br_aes_ct_cbcdec_run(&keys->iv_key.open, chain, message->iv, 16);
    memcpy(chain, message->iv, 16);
    br_aes_ct_cbcdec_run(&keys->data_key.open, chain, message->data, message->data_bytes);
    padding = message->data[message->data_bytes - 1];
    if (!fits || padding == 0 || padding > 16) {
        return false;
    }
    for (at = 0; at < padding; at++) {
        if (message->data[message->data_bytes - 1 - at] != padding) {
            return false;
        }
    }
    message->data_bytes -= padding;
    return true;
}

/* O4 to O7. */
static bool open_under_sessions(const espseal_classic_keys *keys, espseal_classic_message *message,
                                const uint8_t *sessions, size_t session_count, size_t session_bytes,
                                uint8_t *chain)
{
    const size_t padded = message->data_bytes, node_padded = message->node_bytes;
    const bool whole = (keys->scheme & ESPSEAL_CLASSIC_PADDED_MAC) != 0;
    const bool binary = (keys->scheme & ESPSEAL_CLASSIC_BINARY_DATA) != 0;
    const bool no_session = session_bytes == 0;
    bool verified = false;
    size_t at, dropped, text;

    br_aes_ct_cbcdec_run(&keys->iv_key.open, chain, message->iv, 16);
    memcpy(chain, message->iv, 16);
    br_aes_ct_cbcdec_run(&keys->data_key.open, chain, message->node, node_padded);
    memcpy(chain, message->iv, 16);
    br_aes_ct_cbcdec_run(&keys->data_key.open, chain, message->data, padded);
    message->node_bytes = stripped(message->node, node_padded);
    text = stripped(message->data, padded);
    /* O5, O6: one length in text mode, sixteen in binary mode, the longest taken last; and all of
     * them, whichever fits. */
    for (dropped = binary ? 16 : 1; dropped-- > 0;) {
        const size_t data_bytes = !binary ? text : padded < dropped ? 0 : padded - dropped;
        for (at = 0; at < session_count; at++) {
            const espseal_part parts[] = {
                {message->node, whole ? node_padded : message->node_bytes},
                {message->iv, 16},
                {message->data, whole ? padded : data_bytes},
                {sessions + at * session_bytes, session_bytes}};
            const bool fits = mac_fits(keys, parts, 4, message->mac);
            if (fits && data_bytes >= text &&
                (!no_session || (keys->scheme & ESPSEAL_DANGER_ACCEPT_REPLAYS) != 0)) {
                verified = true;
                message->session = at;
                message->data_bytes = data_bytes;
            }
        }
    }
    return verified;
}

espseal_verdict espseal_classic_open(const espseal_classic_keys *keys,
                                     espseal_classic_message *message, const uint8_t *sessions,
                                     size_t session_count, size_t session_bytes, const char *to,
                                     size_t to_bytes)
{
    const size_t padded = message->data_bytes, node_padded = message->node_bytes;
    espseal_verdict verdict = ESPSEAL_FORGED;
    const uint8_t *arrow;
    uint8_t chain[16];

    memcpy(chain, keys->static_iv, 16);
    if (message->port
            ? open_port(keys, message, chain)
            : open_under_sessions(keys, message, sessions, session_count, session_bytes, chain)) {
        /* O8 */
        arrow = message->node_bytes > 0 ? memchr(message->node, '>', message->node_bytes) : NULL;
        message->from_bytes = arrow == NULL ? message->node_bytes : (size_t)(arrow - message->node);
        verdict = ESPSEAL_WRONG_DIRECTION;
        if (to == NULL
                ? arrow == NULL
                : arrow != NULL && message->node_bytes - message->from_bytes == to_bytes + 1 &&
                      memcmp(arrow + 1, to, to_bytes) == 0) {
            return ESPSEAL_FRESH;
        }
    }
    espseal_wipe(message->node, node_padded);
    espseal_wipe(message->data, padded);
    return verdict;
}
