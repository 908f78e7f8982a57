/* Vectors that a device meets as frames of its host, made here. */
#include <string.h>

#include "espseal/bytes.h"
#include "espseal/device_internal.h"
#include "sim.h"
#include "vectors.h"

static const uint8_t session_id[16] = "the session's ID";
static const espseal_identity identity = {{1, 2, 3, 4, 5, 6, 7, 8}, {9}, 0};

static sim board;
static espseal_device device;
static espseal_sealed_keys host;

static void take_session(void)
{
    espseal_session *const session = &device.sessions[ESPSEAL_CURRENT];
    memcpy(session->id, session_id, 16);
    session->head = 0;
    session->drawn = session->commands = true;
}

/* A device of an epoch, which has a session with its host. */
static bool begin(uint16_t epoch)
{
    espseal_identity own = identity;
    own.epoch = epoch;
    sim_init(&board);
    if (espseal_device_begin(&device, &board.platform, &own) != ESPSEAL_OK) {
        return false;
    }
    take_session();
    espseal_sealed_keys_init(&host, identity.key, true);
    espseal_sealed_bind(&host, session_id);
    return true;
}

static espseal_verdict receive(uint8_t kind, uint64_t counter, words data,
                               espseal_received *received)
{
    uint8_t *const frame = room(data.count + ESPSEAL_OVERHEAD_BYTES);
    espseal_header header;
    header.flags = kind;
    header.epoch = device.record.epoch;
    memcpy(header.address, identity.address, 8);
    header.counter = counter;
    if (espseal_sealed_seal(&host, &header, data.text, data.count, frame,
                            data.count + ESPSEAL_OVERHEAD_BYTES) != ESPSEAL_OK) {
        give_up("the host cannot seal");
    }
    return espseal_device_receive(&device, frame, data.count + ESPSEAL_OVERHEAD_BYTES, received);
}

const char *check_sealed_head(record *from, const char **reason)
{
    words counters = text_of(from, "counters"), expect = text_of(from, "expect");
    const words head_after = text_of(from, "head_after");
    const words command = {"on", 2};
    words counter, expected;
    (void)reason;
    if (!begin(0)) {
        return "not begun";
    }
    while (next_word(&counters, &counter) && next_word(&expect, &expected)) {
        espseal_received received;
        espseal_verdict verdict;
        uint8_t bytes[8];
        if (same(counter, "session")) {
            take_session();
            continue;
        }
        if (espseal_unhex(bytes, (const uint8_t *)counter.text, 8) != counter.count) {
            return "no counter";
        }
        verdict = receive(ESPSEAL_DATA, espseal_load_be(bytes, 8), command, &received);
        if (!same(expected, espseal_verdict_word(verdict))) {
            return espseal_verdict_word(verdict);
        }
        if ((received.command != NULL) != (verdict == ESPSEAL_FRESH) ||
            (received.reply_bytes != 0) == (verdict == ESPSEAL_REPLAYED)) {
            return "a command, or an acknowledgement, too many";
        }
    }
    if (counters.count != 0 || expect.count != 0) {
        return "lists of different lengths";
    }
    if (same(head_after, "none")) {
        return device.sessions[ESPSEAL_CURRENT].head == 0 ? NULL : "a head";
    }
    return counter_of(from, "head_after") == device.sessions[ESPSEAL_CURRENT].head
               ? NULL
               : "another head";
}

/* What a device answers, opened by its host: the plaintext, or nothing. */
static words answer_of(espseal_received *received)
{
    static espseal_sealed_keys keys;
    words answer = {NULL, 0};
    uint8_t *const frame = received->reply;
    espseal_header header;
    if (received->reply_bytes == 0) {
        return answer;
    }
    espseal_sealed_keys_init(&keys, device.record.key, false);
    espseal_sealed_bind(&keys, session_id);
    if (espseal_sealed_parse(frame, received->reply_bytes, &header) != ESPSEAL_NO_PROBLEM ||
        (header.flags & ESPSEAL_KIND_MASK) != ESPSEAL_CONTROL ||
        !espseal_sealed_open(&keys, frame, received->reply_bytes)) {
        give_up("the host cannot open the answer");
    }
    answer.text = (const char *)frame + ESPSEAL_OVERHEAD_BYTES;
    answer.count = received->reply_bytes - ESPSEAL_OVERHEAD_BYTES;
    return answer;
}

static const char *check_control(record *from, words plaintext)
{
    const bool parsed = same(text_of(from, "expect"), "parsed");
    const words opcode = parsed ? text_of(from, "opcode") : plaintext;
    const bool ratchet = parsed && same(opcode, "ratchet");
    const uint64_t target = ratchet ? number_of(from, "epoch") : 0;
    espseal_received received;
    espseal_device before;
    words answer;
    if (!begin((uint16_t)(target > 3 ? target - 3 : 0))) {
        return "not begun";
    }
    device.record.mode = 0x77;
    before = device;
    if (receive(ESPSEAL_CONTROL, 7, plaintext, &received) != ESPSEAL_FRESH) {
        return "not fresh";
    }
    answer = answer_of(&received);
    if (received.command != NULL) {
        return "a command";
    }
    if (!parsed || same(opcode, "ack") || same(opcode, "mode")) {
        if (parsed) {
            /* Hosts do not send these. That a device does is seen below, in its answers. */
            (void)bytes_of(from, same(opcode, "ack") ? "tag" : "mode");
        }
        return answer.count == 0 && device.next == before.next &&
                       device.record.epoch == before.record.epoch && device.record.mode == 0x77
                   ? NULL
                   : "it had an effect";
    }
    if (same(opcode, "query_mode")) {
        return equal(answer, "\6\x77", 2) ? NULL : "another answer";
    }
    if (answer.count != 17 || answer.text[0] != 2) {
        return "no acknowledgement";
    }
    if (ratchet) {
        return device.record.epoch == target ? NULL : "another epoch";
    }
    if (same(opcode, "welcome")) {
        const uint64_t floor = counter_of(from, "floor");
        /* One is used by the acknowledgement. */
        return device.next == (floor > before.next ? floor : before.next) + 1 ? NULL
                                                                              : "another counter";
    }
    if (same(opcode, "set_mode")) {
        return equal(bytes_of(from, "mode"), &device.record.mode, 1) ? NULL : "another mode";
    }
    return "unknown opcode";
}

static const char *check_hello(record *from, words plaintext, const char **reason)
{
    static espseal_sealed_keys keys;
    const words session = same(text_of(from, "expect"), "parsed") ? bytes_of(from, "session")
                                                                  : plaintext;
    espseal_session *const pending = &device.sessions[ESPSEAL_PENDING];
    uint8_t frame[ESPSEAL_HELLO_FRAME_BYTES_MAX];
    char version[ESPSEAL_VERSION_BYTES_MAX + 1];
    espseal_header header;
    size_t frame_bytes;
    words firmware;
    if (!same(text_of(from, "expect"), "parsed")) {
        *reason = "hosts read hellos, a device makes them";
        return NULL;
    }
    firmware = bytes_of(from, "version");
    if (firmware.count > ESPSEAL_VERSION_BYTES_MAX) {
        *reason = "a version of more bytes than config.h allows";
        return NULL;
    }
    if (memchr(firmware.text, '\0', firmware.count) != NULL) {
        *reason = "a version in C holds no NUL";
        return NULL;
    }
    if (!begin(0)) {
        return "not begun";
    }
    memcpy(version, firmware.text, firmware.count);
    version[firmware.count] = '\0';
    memcpy(pending->id, session.text, 16);
    pending->drawn = true;
    if (espseal_device_hello(&device, version, frame, &frame_bytes) != ESPSEAL_OK) {
        return "no hello";
    }
    espseal_sealed_keys_init(&keys, identity.key, false);
    if (espseal_sealed_parse(frame, frame_bytes, &header) != ESPSEAL_NO_PROBLEM ||
        header.flags != ESPSEAL_HELLO || !espseal_sealed_open(&keys, frame, frame_bytes)) {
        return "another frame";
    }
    return equal(plaintext, frame + ESPSEAL_OVERHEAD_BYTES, frame_bytes - ESPSEAL_OVERHEAD_BYTES)
               ? NULL
               : "another plaintext";
}

const char *check_sealed_control(record *from, const char **reason)
{
    const words plaintext = bytes_of(from, "plaintext");
    return same(text_of(from, "kind"), "hello") ? check_hello(from, plaintext, reason)
                                                : check_control(from, plaintext);
}
