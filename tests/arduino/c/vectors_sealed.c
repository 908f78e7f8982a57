#include <string.h>

#include "console.h"
#include "espseal/bytes.h"
#include "espseal/detect.h"
#include "espseal/siv.h"
#include "expand.h"
#include "vectors.h"

static const uint8_t *raw(words bytes)
{
    return (const uint8_t *)bytes.text;
}

/* HKDF (RFC 5869) of a fleet key: what a host does; a device holds the result. */
static void device_key_of(const uint8_t *fleet_key, const uint8_t *address, uint8_t key[32])
{
    const espseal_part input[] = {{fleet_key, 32}};
    uint8_t extracted[32];
    espseal_hmac(&br_sha256_vtable, "espseal/1", 9, input, 1, extracted);
    expand(extracted, "device", address, 8, key);
}

static void ratchet(uint8_t key[32], uint64_t steps)
{
    uint8_t next[32];
    for (; steps > 0; steps--) {
        expand(key, "ratchet", NULL, 0, next);
        memcpy(key, next, 32);
    }
}

static void find_key(record *from, uint8_t key[32])
{
    if (has(from, "fleet_key")) {
        device_key_of(raw(bytes_of(from, "fleet_key")), raw(bytes_of(from, "address")), key);
        ratchet(key, number_of(from, "epoch"));
    } else {
        memcpy(key, bytes_of(from, "device_key").text, 32);
    }
}

static void find_keys(record *from, espseal_sealed_keys *keys)
{
    const words session = bytes_of(from, "session"), context = bytes_of(from, "context");
    uint8_t key[32];
    find_key(from, key);
    espseal_sealed_keys_init(keys, key, same(text_of(from, "direction"), "downlink"));
    espseal_sealed_bind_context(keys, session.count > 0 ? raw(session) : NULL, context.text,
                                context.count);
}

static uint8_t kind_of(record *from)
{
    const words kind = text_of(from, "kind");
    return same(kind, "hello")     ? ESPSEAL_HELLO
           : same(kind, "control") ? ESPSEAL_CONTROL
           : same(kind, "data")    ? ESPSEAL_DATA
                                   : 0xff;
}

const char *check_sealed_seal(record *from, const char **reason)
{
    static espseal_sealed_keys keys;
    const words plaintext = long_bytes_of(from, "plaintext"), expect = text_of(from, "expect");
    const size_t frame_bytes = plaintext.count + ESPSEAL_OVERHEAD_BYTES;
    uint8_t *const frame = room(frame_bytes);
    char *text;
    espseal_header header;
    espseal_error error;
    (void)reason;
    header.flags = kind_of(from);
    header.epoch = (uint16_t)number_of(from, "epoch");
    header.counter = counter_of(from, "counter");
    memcpy(header.address, bytes_of(from, "address").text, 8);
    find_keys(from, &keys);
    error =
        espseal_sealed_seal(&keys, &header, plaintext.text, plaintext.count, frame, frame_bytes);
    if (!same(expect, "sealed")) {
        (void)bytes_of(from, "frame");
        (void)text_of(from, "armor");
        return same(expect, espseal_error_word(error)) ? NULL : espseal_error_word(error);
    }
    if (error != ESPSEAL_OK) {
        return espseal_error_word(error);
    }
    text = (char *)room(frame_bytes * 4 / 3 + 1);
    if (has(from, "frame_length")) {
        if (number_of(from, "frame_length") != frame_bytes ||
            !equal(bytes_of(from, "frame_start"), frame, 52) ||
            !equal(bytes_of(from, "frame_end"), frame + frame_bytes - 16, 16)) {
            return "another frame";
        }
    } else if (!equal(bytes_of(from, "frame"), frame, frame_bytes)) {
        return "another frame";
    }
    if (has(from, "armor") &&
        !equal(text_of(from, "armor"), text, espseal_armor(frame, frame_bytes, text))) {
        return "another armor";
    }
    return espseal_sealed_seal(&keys, &header, plaintext.text, plaintext.count, frame,
                               frame_bytes - 1) == ESPSEAL_ERROR_FRAME_TOO_LONG
               ? NULL
               : "the size of the buffer is not kept to";
}

/* What a receiver of one direction says of the frame in `payload`, which is opened in place. */
static espseal_verdict open_payload(espseal_sealed_keys *keys, bool armored, uint8_t *payload,
                                    size_t bytes, espseal_header *header, size_t *frame_bytes,
                                    espseal_problem *problem)
{
    *frame_bytes = bytes;
    *problem = ESPSEAL_NO_PROBLEM;
    if (armored) {
        *problem = espseal_disarm((const char *)payload, bytes, payload, frame_bytes);
    }
    if (*problem == ESPSEAL_NO_PROBLEM) {
        *problem = espseal_sealed_parse(payload, *frame_bytes, header);
    }
    if (*problem != ESPSEAL_NO_PROBLEM) {
        return ESPSEAL_MALFORMED;
    }
    if (((header->flags & ESPSEAL_DOWNLINK) != 0) != keys->downlink) {
        return ESPSEAL_WRONG_DIRECTION;
    }
    return espseal_sealed_open(keys, payload, *frame_bytes) ? ESPSEAL_FRESH : ESPSEAL_FORGED;
}

static const char *check_opened(record *from, espseal_sealed_keys *keys, bool armored, words given)
{
    uint8_t *const payload = room(given.count);
    espseal_header header;
    espseal_problem problem;
    size_t frame_bytes;
    espseal_verdict verdict;
    memcpy(payload, given.text, given.count);
    verdict = open_payload(keys, armored, payload, given.count, &header, &frame_bytes, &problem);
    if (!same(text_of(from, "expect"), espseal_verdict_word(verdict))) {
        return espseal_verdict_word(verdict);
    }
    if (!equal(bytes_of(from, "address"), header.address, 8) ||
        number_of(from, "epoch") != header.epoch || counter_of(from, "counter") != header.counter ||
        kind_of(from) != (header.flags & ESPSEAL_KIND_MASK) ||
        (bytes_of(from, "session").count > 0) != ((header.flags & ESPSEAL_BOUND) != 0)) {
        return "another header";
    }
    return equal(long_bytes_of(from, "plaintext"), payload + ESPSEAL_OVERHEAD_BYTES,
                 frame_bytes - ESPSEAL_OVERHEAD_BYTES)
               ? NULL
               : "opened to something else";
}

const char *check_sealed_open(record *from, const char **reason)
{
    static espseal_sealed_keys keys;
    const char *wrong;
    (void)reason;
    find_keys(from, &keys);
    wrong = check_opened(from, &keys, false, long_bytes_of(from, "frame"));
    return wrong == NULL && has(from, "armor")
               ? check_opened(from, &keys, true, text_of(from, "armor"))
               : wrong;
}

const char *check_sealed_reject(record *from, const char **reason)
{
    static espseal_sealed_keys keys;
    const words form = text_of(from, "form"), given = long_bytes_of(from, "frame");
    uint8_t *const payload = room(given.count + 1);
    espseal_header header;
    espseal_problem problem;
    size_t frame_bytes;
    espseal_verdict verdict;
    (void)reason;
    memcpy(payload, given.text, given.count);
    find_keys(from, &keys);
    verdict = open_payload(&keys, !same(form, "binary"), payload, given.count, &header,
                           &frame_bytes, &problem);
    if (!same(text_of(from, "expect"), espseal_verdict_word(verdict))) {
        return espseal_verdict_word(verdict);
    }
    if (verdict == ESPSEAL_MALFORMED) {
        if (!same(text_of(from, "reason"), espseal_reason_word(ESPSEAL_PROBLEM_REASON(problem)))) {
            return espseal_reason_word(ESPSEAL_PROBLEM_REASON(problem));
        }
        return number_of(from, "offset") == ESPSEAL_PROBLEM_OFFSET(problem) ? NULL
                                                                            : "another offset";
    }
    if (verdict == ESPSEAL_FORGED) {
        size_t at;
        for (at = ESPSEAL_OVERHEAD_BYTES; at < frame_bytes; at++) {
            if (payload[at] != 0) {
                return "plaintext is left";
            }
        }
    }
    return NULL;
}

const char *check_sealed_keys(record *from, const char **reason)
{
    const words derive = text_of(from, "derive"), device_key = bytes_of(from, "device_key");
    uint8_t key[32], other[32];
    bool right;
    if (same(text_of(from, "expect"), "epoch_exhausted")) {
        *reason = "a device refuses a ratchet before it derives a key";
        return NULL;
    }
    if (same(derive, "device_key")) {
        device_key_of(raw(bytes_of(from, "fleet_key")), raw(bytes_of(from, "address")), key);
        right = equal(device_key, key, 32);
    } else if (same(derive, "ratchet")) {
        (void)number_of(from, "epoch");
        memcpy(key, device_key.text, 32);
        ratchet(key, number_of(from, "steps"));
        right = equal(bytes_of(from, "ratcheted"), key, 32);
    } else if (same(derive, "frame_keys")) {
        expand(raw(device_key), "uplink", NULL, 0, key);
        expand(raw(device_key), "downlink", NULL, 0, other);
        right = equal(bytes_of(from, "uplink_key"), key, 32) &&
                equal(bytes_of(from, "downlink_key"), other, 32);
    } else if (same(derive, "session")) {
        uint8_t extra[40];
        memcpy(extra, bytes_of(from, "counter").text, 8);
        memcpy(extra + 8, bytes_of(from, "beacon").text, 16);
        memcpy(extra + 24, bytes_of(from, "random").text, 16);
        expand(raw(device_key), "session", extra, sizeof extra, key);
        right = equal(bytes_of(from, "session"), key, 16);
    } else {
        return "nothing of that kind is derived";
    }
    return right ? NULL : "derived something else";
}

const char *check_sealed_detect(record *from, const char **reason)
{
    static const char *const formats[] = {"malformed", "raw", "sealed", "armored", "hex", "port"};
    const words frame = bytes_of(from, "frame");
    const char *const format = formats[espseal_detect(raw(frame), frame.count,
                                                      same(text_of(from, "port_allowed"), "true"))];
    (void)reason;
    return same(text_of(from, "expect"), format) ? NULL : format;
}

static void doubled(uint8_t block[16])
{
    const uint8_t top = block[0] >> 7;
    int at;
    for (at = 0; at < 16; at++) {
        block[at] = (uint8_t)(block[at] << 1 | (at < 15 ? block[at + 1] >> 7 : 0));
    }
    block[15] ^= (uint8_t)(top * 0x87);
}

/* CMAC (RFC 4493), plainly. */
static void cmac(const espseal_sealed_keys *keys, words data, uint8_t mac[16])
{
    const size_t blocks = data.count == 0 ? 1 : (data.count + 15) / 16;
    uint8_t *const padded = room(16 * blocks);
    uint8_t subkey[16] = {0}, zeros[16] = {0};
    memset(padded, 0, 16 * blocks);
    memcpy(padded, data.text, data.count);
    br_aes_ct_ctrcbc_mac(&keys->mac, subkey, zeros, 16);
    doubled(subkey);
    if (data.count % 16 != 0 || data.count == 0) {
        padded[data.count] = 0x80;
        doubled(subkey);
    }
    espseal_xor(padded + 16 * (blocks - 1), subkey, 16);
    memset(mac, 0, 16);
    br_aes_ct_ctrcbc_mac(&keys->mac, mac, padded, 16 * blocks);
}

/* A frame has three components, the first of 20 bytes and the second of 0 or 16. For vectors with
 * others S2V over the components is done here, and what the library adds for the header is taken
 * out in advance: the message is the library's. */
static void bind_components(record *from, espseal_sealed_keys *keys, words header)
{
    static const char *const names[] = {"first", "second", "third"};
    const words zeros = {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16};
    const uint64_t components = number_of(from, "components");
    uint8_t mac[16];
    uint64_t at;
    cmac(keys, zeros, keys->s);
    for (at = 0; at < components; at++) {
        doubled(keys->s);
        cmac(keys, bytes_of(from, names[at]), mac);
        espseal_xor(keys->s, mac, 16);
    }
    cmac(keys, header, mac);
    doubled(mac);
    doubled(mac);
    espseal_xor(keys->s, mac, 16);
}

const char *check_aes_siv(record *from, const char **reason)
{
    static espseal_sealed_keys keys;
    static const char other_header[ESPSEAL_HEADER_BYTES] = "not of this message";
    const words plaintext = bytes_of(from, "plaintext"), sealed = bytes_of(from, "sealed");
    const bool valid = same(text_of(from, "expect"), "valid");
    const bool frame = number_of(from, "components") == 3 &&
                       bytes_of(from, "first").count == ESPSEAL_HEADER_BYTES &&
                       bytes_of(from, "second").count % 16 == 0;
    words header = {other_header, ESPSEAL_HEADER_BYTES};
    uint8_t tag[16];
    uint8_t *data;
    bool opens;
    (void)reason;
    espseal_siv_init(&keys, raw(bytes_of(from, "key")));
    if (frame) {
        const words session = bytes_of(from, "second"), context = bytes_of(from, "third");
        header = bytes_of(from, "first");
        espseal_sealed_bind_context(&keys, session.count > 0 ? raw(session) : NULL, context.text,
                                    context.count);
    } else {
        bind_components(from, &keys, header);
    }
    if (valid) {
        data = room(plaintext.count);
        memcpy(data, plaintext.text, plaintext.count);
        espseal_siv_tag(&keys, raw(header), data, plaintext.count, tag);
        espseal_siv_crypt(&keys, tag, data, plaintext.count);
        if (memcmp(sealed.text, tag, 16) != 0 ||
            memcmp(sealed.text + 16, data, plaintext.count) != 0) {
            return "sealed to something else";
        }
    }
    data = room(sealed.count - 16);
    memcpy(data, sealed.text + 16, sealed.count - 16);
    espseal_siv_crypt(&keys, raw(sealed), data, sealed.count - 16);
    espseal_siv_tag(&keys, raw(header), data, sealed.count - 16, tag);
    opens = espseal_equal(tag, sealed.text, 16) &&
            (!valid || equal(plaintext, data, sealed.count - 16));
    return opens == valid ? NULL : opens ? "valid" : "invalid";
}
