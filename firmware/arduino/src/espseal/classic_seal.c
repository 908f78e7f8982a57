#include <string.h>

#include "bytes.h"
#include "classic.h"
#include "hmac.h"

/* S1. Who speaks to whom, zero-padded; 0 if an ID is none, or the field is too long. */
static size_t node_field(const espseal_classic_reading *reading, char field[16])
{
    size_t at = reading->node_bytes;
    memset(field, 0, 16);
    if (at > ESPSEAL_CLASSIC_NODE_BYTES_MAX || (at == 0 && reading->node != NULL)) {
        return 0;
    }
    if (at > 0) {
        memcpy(field, reading->node, at);
    }
    if (memchr(field, '>', at) != NULL) {
        return 0;
    }
    if (reading->to != NULL) {
        field[at++] = '>';
        if (reading->to_bytes == 0 || at + reading->to_bytes > ESPSEAL_CLASSIC_NODE_BYTES_MAX) {
            return 0;
        }
        memcpy(field + at, reading->to, reading->to_bytes);
        if (memchr(field + at, '>', reading->to_bytes) != NULL) {
            return 0;
        }
        at += reading->to_bytes;
    }
    /* A NUL ends it early. */
    return strlen(field) == at ? at : 0;
}

espseal_error espseal_danger_classic_seal_with_iv(const espseal_classic_keys *keys,
                                                  const espseal_classic_reading *reading,
                                                  const uint8_t iv[16], uint8_t *frame,
                                                  size_t frame_capacity, size_t *frame_bytes)
{
    const bool port = (keys->scheme & ESPSEAL_CLASSIC_PORT) != 0;
    const bool raw = (keys->scheme & ESPSEAL_CLASSIC_RAW) != 0;
    const size_t data_bytes = reading->data_bytes;
    /* A field is first made in the second half of its place, then becomes digits in the whole. */
    const size_t half = raw ? 0 : 1;
    const size_t node_padded = port ? 0 : 16;
    const size_t padded = (data_bytes + (port ? 16 : 15)) & ~(size_t)15;
    const size_t comma = port ? 0 : 1;
    uint8_t *const enc_iv = frame + 16 * half;
    uint8_t *const node_at = frame + (16 << half) + comma;
    uint8_t *const data_at = node_at + (node_padded << half) + comma;
    uint8_t *const mac_at = data_at + (padded << half) + comma;
    uint8_t *const enc_node = node_at + node_padded * half;
    uint8_t *const enc_data = data_at + padded * half;
    const size_t total = (size_t)(mac_at - frame) + 2 * ESPSEAL_CLASSIC_MAC_BYTES;
    char field[16];
    size_t node_bytes = 0;
    uint8_t mac[ESPSEAL_CLASSIC_MAC_BYTES];
    uint8_t chain[16];

    *frame_bytes = 0;
    /* S1 */
    if (!port) {
        node_bytes = node_field(reading, field);
        if (node_bytes == 0) {
            return ESPSEAL_ERROR_INVALID_NODE_ID;
        }
        if ((keys->scheme & ESPSEAL_CLASSIC_BINARY_DATA) == 0 && data_bytes > 0 &&
            reading->data[data_bytes - 1] == 0) {
            return ESPSEAL_ERROR_DATA_ENDS_IN_NUL;
        }
        if (reading->session_bytes == 0 && (keys->scheme & ESPSEAL_DANGER_ACCEPT_REPLAYS) == 0) {
            return ESPSEAL_ERROR_SESSION_REQUIRED;
        }
    }
    /* S6, before any work; a length that would wrap around first. */
    if (data_bytes > ESPSEAL_CLASSIC_FRAME_BYTES_MAX || total > ESPSEAL_CLASSIC_FRAME_BYTES_MAX ||
        total > frame_capacity) {
        return ESPSEAL_ERROR_FRAME_TOO_LONG;
    }
    memcpy(enc_iv, iv, 16);
    memcpy(enc_node, field, node_padded);
    memset(enc_data, port ? (int)(padded - data_bytes) : 0, padded);
    if (data_bytes > 0) {
        memcpy(enc_data, reading->data, data_bytes);
    }
    /* S5, before S4 overwrites the values. */
    if (!port) {
        const bool whole = (keys->scheme & ESPSEAL_CLASSIC_PADDED_MAC) != 0;
        const espseal_part parts[] = {{field, whole ? 16 : node_bytes},
                                      {iv, 16},
                                      {enc_data, whole ? padded : data_bytes},
                                      {reading->session, reading->session_bytes}};
        espseal_hmac(&br_sha1_vtable, keys->passphrase, keys->passphrase_bytes, parts, 4, mac);
    }
    /* S3, S4, P1, P2 */
    memcpy(chain, keys->static_iv, 16);
    br_aes_ct_cbcenc_run(&keys->iv_key.seal, chain, enc_iv, 16);
    memcpy(chain, iv, 16);
    br_aes_ct_cbcenc_run(&keys->data_key.seal, chain, enc_node, node_padded);
    memcpy(chain, iv, 16);
    br_aes_ct_cbcenc_run(&keys->data_key.seal, chain, enc_data, padded);
    /* P3 */
    if (port) {
        const espseal_part parts[] = {{enc_iv, 16}, {enc_data, padded}};
        espseal_hmac(&br_sha1_vtable, keys->passphrase, keys->passphrase_bytes, parts, 2, mac);
    }
    /* S6 */
    if (!raw) {
        const uint8_t letter = port ? 'A' : 'a';
        espseal_hex(frame, enc_iv, 16, letter);
        espseal_hex(node_at, enc_node, node_padded, letter);
        espseal_hex(data_at, enc_data, padded, letter);
    }
    espseal_hex(mac_at, mac, sizeof mac, port ? 'A' : 'a');
    if (!port) {
        node_at[-1] = data_at[-1] = mac_at[-1] = ',';
    }
    *frame_bytes = total;
    return ESPSEAL_OK;
}
