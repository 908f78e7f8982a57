/* What Python calls to compare the core with the Rust one: one function for each direction of each
 * format, with nothing but bytes and numbers. */
#include <string.h>

#include "espseal/classic.h"
#include "espseal/sealed.h"

int cross_sealed_seal(const uint8_t *key, int downlink, int kind, unsigned epoch,
                      const uint8_t *address, uint64_t counter, const uint8_t *session,
                      const uint8_t *data, size_t data_bytes, uint8_t *frame, size_t capacity);
int cross_sealed_open(const uint8_t *key, int downlink, const uint8_t *session, uint8_t *frame,
                      size_t frame_bytes, espseal_header *header);
long cross_classic_seal(const uint8_t *keys, size_t passphrase_bytes, unsigned scheme,
                        const char *from, const char *to, const uint8_t *session,
                        const uint8_t *data, size_t data_bytes, uint8_t *frame, size_t capacity);
long cross_classic_open(const uint8_t *keys, size_t passphrase_bytes, unsigned scheme,
                        const char *to, const uint8_t *session, uint8_t *frame, size_t frame_bytes,
                        size_t *data_at);

int cross_sealed_seal(const uint8_t *key, int downlink, int kind, unsigned epoch,
                      const uint8_t *address, uint64_t counter, const uint8_t *session,
                      const uint8_t *data, size_t data_bytes, uint8_t *frame, size_t capacity)
{
    espseal_sealed_keys keys;
    espseal_header header;
    espseal_sealed_keys_init(&keys, key, downlink != 0);
    espseal_sealed_bind(&keys, session);
    header.flags = (uint8_t)kind;
    header.epoch = (uint16_t)epoch;
    header.counter = counter;
    memcpy(header.address, address, sizeof header.address);
    return (int)espseal_sealed_seal(&keys, &header, data, data_bytes, frame, capacity);
}

int cross_sealed_open(const uint8_t *key, int downlink, const uint8_t *session, uint8_t *frame,
                      size_t frame_bytes, espseal_header *header)
{
    espseal_sealed_keys keys;
    if (espseal_sealed_parse(frame, frame_bytes, header) != ESPSEAL_NO_PROBLEM) {
        return ESPSEAL_MALFORMED;
    }
    espseal_sealed_keys_init(&keys, key, downlink != 0);
    espseal_sealed_bind(&keys, session);
    return espseal_sealed_open(&keys, frame, frame_bytes) ? ESPSEAL_FRESH : ESPSEAL_FORGED;
}

/* The keys one after the other: 16, 16, 16 bytes and the passphrase. */
static espseal_error read_keys(espseal_classic_keys *keys, const uint8_t *bytes,
                               size_t passphrase_bytes, unsigned scheme, bool opening)
{
    const espseal_classic_secrets secrets = {bytes, bytes + 16, bytes + 32,      bytes + 48,
                                             16,    16,         passphrase_bytes};
    return espseal_classic_keys_init(keys, &secrets, scheme, opening);
}

long cross_classic_seal(const uint8_t *keys, size_t passphrase_bytes, unsigned scheme,
                        const char *from, const char *to, const uint8_t *session,
                        const uint8_t *data, size_t data_bytes, uint8_t *frame, size_t capacity)
{
    const espseal_classic_reading reading = {from,    from == NULL ? 0 : strlen(from),
                                             to,      to == NULL ? 0 : strlen(to),
                                             data,    data_bytes,
                                             session, 32};
    espseal_classic_keys prepared;
    uint8_t iv[16];
    size_t frame_bytes;
    memcpy(iv, session, sizeof iv);
    if ((scheme & ESPSEAL_CLASSIC_PORT) != 0) {
        iv[15] = 1;
    }
    if (read_keys(&prepared, keys, passphrase_bytes, scheme, false) != ESPSEAL_OK ||
        espseal_danger_classic_seal_with_iv(&prepared, &reading, iv, frame, capacity,
                                            &frame_bytes) != ESPSEAL_OK) {
        return -1;
    }
    return (long)frame_bytes;
}

long cross_classic_open(const uint8_t *keys, size_t passphrase_bytes, unsigned scheme,
                        const char *to, const uint8_t *session, uint8_t *frame, size_t frame_bytes,
                        size_t *data_at)
{
    espseal_classic_keys prepared;
    espseal_classic_message message;
    if (read_keys(&prepared, keys, passphrase_bytes, scheme, true) != ESPSEAL_OK ||
        espseal_classic_parse(frame, frame_bytes, scheme, &message) != ESPSEAL_NO_PROBLEM ||
        espseal_classic_open(&prepared, &message, session, 1, 32, to,
                             to == NULL ? 0 : strlen(to)) != ESPSEAL_FRESH) {
        return -1;
    }
    *data_at = (size_t)(message.data - frame);
    return (long)message.data_bytes;
}
