#include <string.h>

#include "console.h"
#include "espseal/bytes.h"
#include "espseal/classic.h"
#include "espseal/hmac.h"
#include "vectors.h"

static const uint8_t *raw(words bytes)
{
    return (const uint8_t *)bytes.text;
}

static const char *keys_of(record *from, bool opening, espseal_classic_keys *keys)
{
    const words layout = text_of(from, "layout"), data_mode = text_of(from, "data_mode");
    const words mac_over = text_of(from, "mac_over");
    const words iv_key = bytes_of(from, "iv_key"), data_key = bytes_of(from, "data_key");
    const words passphrase = bytes_of(from, "passphrase");
    const espseal_classic_secrets secrets = {
        raw(iv_key),     raw(data_key), raw(bytes_of(from, "static_iv")),
        raw(passphrase), iv_key.count,  data_key.count,
        passphrase.count};
    unsigned scheme = 0;
    if (same(layout, "raw")) {
        scheme |= ESPSEAL_CLASSIC_RAW;
    } else if (same(layout, "port")) {
        scheme |= ESPSEAL_CLASSIC_PORT;
    } else if (!same(layout, "hex")) {
        return "unknown layout";
    }
    if (same(data_mode, "binary")) {
        scheme |= ESPSEAL_CLASSIC_BINARY_DATA;
    } else if (!same(data_mode, "text")) {
        return "unknown data mode";
    }
    if (same(mac_over, "padded")) {
        scheme |= ESPSEAL_CLASSIC_PADDED_MAC;
    } else if (!same(mac_over, "unpadded")) {
        return "unknown mac_over";
    }
    if (has(from, "danger_accept_replays") &&
        same(text_of(from, "danger_accept_replays"), "true")) {
        scheme |= ESPSEAL_DANGER_ACCEPT_REPLAYS;
    }
    return espseal_classic_keys_init(keys, &secrets, scheme, opening) == ESPSEAL_OK
               ? NULL
               : "the keys are refused";
}

const char *check_classic_seal(record *from, const char **reason)
{
    static espseal_classic_keys keys;
    static uint8_t frame[ESPSEAL_CLASSIC_FRAME_BYTES_MAX + 1];
    const words node = bytes_of(from, "node_id"), data = bytes_of(from, "data");
    const words session = bytes_of(from, "session"), expected = bytes_of(from, "frame");
    const words expect = text_of(from, "expect"), iv = bytes_of(from, "iv");
    espseal_classic_reading reading = {node.text, node.count, NULL,         0,
                                       raw(data), data.count, raw(session), session.count};
    const char *wrong = keys_of(from, false, &keys);
    size_t frame_bytes;
    espseal_error error;
    (void)reason;
    if (wrong != NULL) {
        return wrong;
    }
    /* Without a direction a ">" is a node ID that must be refused. */
    if (has(from, "direction") && !same(text_of(from, "direction"), "reading")) {
        const char *const arrow = memchr(node.text, '>', node.count);
        if (arrow == NULL) {
            return "a direction without an arrow";
        }
        if (same(text_of(from, "direction"), "command")) {
            reading.node = NULL;
        }
        reading.node_bytes = (size_t)(arrow - node.text);
        reading.to = arrow + 1;
        reading.to_bytes = node.count - reading.node_bytes - 1;
    }
    error = espseal_danger_classic_seal_with_iv(&keys, &reading, raw(iv), frame, sizeof frame,
                                                &frame_bytes);
    if (!same(expect, "sealed")) {
        return same(expect, espseal_error_word(error)) && frame_bytes == 0
                   ? NULL
                   : espseal_error_word(error);
    }
    if (error != ESPSEAL_OK) {
        return espseal_error_word(error);
    }
    if (!equal(expected, frame, frame_bytes)) {
        return "another frame";
    }
    /* In a buffer that just holds it, and in one that does not. */
    if (espseal_danger_classic_seal_with_iv(&keys, &reading, raw(iv), room(expected.count),
                                            expected.count, &frame_bytes) != ESPSEAL_OK ||
        espseal_danger_classic_seal_with_iv(&keys, &reading, raw(iv), room(expected.count - 1),
                                            expected.count - 1,
                                            &frame_bytes) != ESPSEAL_ERROR_FRAME_TOO_LONG) {
        return "the size of the buffer is not kept to";
    }
    return NULL;
}

static espseal_verdict open_frame(record *from, espseal_classic_keys *keys,
                                  espseal_classic_message *message, espseal_problem *problem)
{
    const words frame = bytes_of(from, "frame"), session = bytes_of(from, "session");
    uint8_t *const sessions = room(3 * session.count);
    uint8_t *const copy = room(frame.count);
    words to = {NULL, 0};
    memcpy(copy, frame.text, frame.count);
    /* Another session on each side. */
    memset(sessions, 'x', 3 * session.count);
    memcpy(sessions + session.count, session.text, session.count);
    if (has(from, "expected_node_id")) {
        to = bytes_of(from, "expected_node_id");
    }
    *problem = espseal_classic_parse(copy, frame.count, keys->scheme, message);
    if (*problem != ESPSEAL_NO_PROBLEM) {
        return ESPSEAL_MALFORMED;
    }
    return espseal_classic_open(keys, message, sessions, 3, session.count, to.text, to.count);
}

/* A frame for a command or a peer message, whose sender is none or another. */
static bool sender_is_right(record *from, const espseal_classic_message *message)
{
    if (!has(from, "direction")) {
        return true;
    }
    return same(text_of(from, "direction"), "command") ? message->from_bytes == 0
           : same(text_of(from, "direction"), "peer")  ? message->from_bytes != 0
                                                       : true;
}

const char *check_classic_open(record *from, const char **reason)
{
    static espseal_classic_keys keys;
    espseal_classic_message message;
    espseal_problem problem;
    espseal_verdict verdict;
    const char *wrong = keys_of(from, true, &keys);
    (void)reason;
    if (wrong != NULL) {
        return wrong;
    }
    verdict = open_frame(from, &keys, &message, &problem);
    if (!same(text_of(from, "expect"), espseal_verdict_word(verdict)) ||
        !sender_is_right(from, &message)) {
        return espseal_verdict_word(verdict);
    }
    if (!message.port && bytes_of(from, "session").count > 0 && message.session != 1) {
        return "another session";
    }
    return equal(bytes_of(from, "node_id"), message.node, message.node_bytes) &&
                   equal(bytes_of(from, "iv"), message.iv, 16) &&
                   equal(bytes_of(from, "data"), message.data, message.data_bytes)
               ? NULL
               : "opened to something else";
}

static bool is_wiped(const uint8_t *bytes, size_t count)
{
    while (count > 0 && *bytes == 0) {
        bytes++;
        count--;
    }
    return count == 0;
}

const char *check_classic_reject(record *from, const char **reason)
{
    static espseal_classic_keys keys;
    espseal_classic_message message;
    espseal_problem problem;
    espseal_verdict verdict;
    const words expect = text_of(from, "expect");
    const char *wrong = keys_of(from, true, &keys);
    (void)reason;
    if (wrong != NULL) {
        return wrong;
    }
    /* Of the frame that was damaged, and not for the opener. */
    (void)text_of(from, "node_id");
    (void)text_of(from, "iv");
    (void)text_of(from, "data");
    verdict = open_frame(from, &keys, &message, &problem);
    /* What an expected node finds beside a sender that it did not expect is the caller's to say. */
    if (verdict == ESPSEAL_FRESH && !sender_is_right(from, &message)) {
        return same(expect, "wrong_direction") ? NULL : "wrong_direction";
    }
    if (has(from, "direction")) {
        (void)text_of(from, "direction");
    }
    if (!same(expect, espseal_verdict_word(verdict))) {
        return espseal_verdict_word(verdict);
    }
    if (verdict == ESPSEAL_MALFORMED) {
        if (!same(text_of(from, "reason"), espseal_reason_word(ESPSEAL_PROBLEM_REASON(problem)))) {
            return espseal_reason_word(ESPSEAL_PROBLEM_REASON(problem));
        }
        return number_of(from, "offset") == ESPSEAL_PROBLEM_OFFSET(problem) ? NULL
                                                                            : "another offset";
    }
    return is_wiped(message.data, message.data_bytes) && is_wiped(message.node, message.node_bytes)
               ? NULL
               : "plaintext is left";
}

/* A device verifies no session ID; what it would be is HMAC-SHA256, of which sealed keys are made.
 */
const char *check_session(record *from, const char **reason)
{
    const words key = bytes_of(from, "session_key"), random = bytes_of(from, "random");
    const words id = text_of(from, "id");
    uint8_t bytes[16], mac[32], digits[32], time[4];
    const espseal_part parts[] = {{"session", 7}, {time, 4}, {random.text, 4}};
    bool valid;
    (void)reason;
    espseal_store_be(time, number_of(from, "time"), 4);
    espseal_hmac(&br_sha256_vtable, key.text, key.count, parts, 3, mac);
    memcpy(bytes, time, 4);
    memcpy(bytes + 4, random.text, 4);
    memcpy(bytes + 8, mac, 8);
    espseal_hex(digits, bytes, 16, 'a');
    valid = equal(id, digits, sizeof digits);
    return same(text_of(from, "expect"), valid ? "valid" : "invalid") ? NULL
           : valid                                                    ? "valid"
                                                                      : "invalid";
}
