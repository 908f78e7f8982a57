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
    espseal_session *const session = device.newest;
    memcpy(session->id, session_id, 16);
    session->head = 0;
    session->drawn = session->welcomed = session->commands = true;
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
    header.epoch = device.store.record.identity.epoch;
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
        return device.newest->head == 0 ? NULL : "a head";
    }
    return counter_of(from, "head_after") == device.newest->head ? NULL : "another head";
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
    espseal_sealed_keys_init(&keys, device.store.record.identity.key, false);
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
    uint64_t next;
    uint16_t epoch;
    words answer;
    if (!begin((uint16_t)(target > 3 ? target - 3 : 0))) {
        return "not begun";
    }
    device.store.record.mode = 0x77;
    next = device.next;
    epoch = device.store.record.identity.epoch;
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
        return answer.count == 0 && device.next == next &&
                       device.store.record.identity.epoch == epoch &&
                       device.store.record.mode == 0x77
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
        return device.store.record.identity.epoch == target ? NULL : "another epoch";
    }
    if (same(opcode, "welcome")) {
        const uint64_t floor = counter_of(from, "floor");
        /* One is used by the acknowledgement. */
        return device.next == (floor > next ? floor : next) + 1 ? NULL : "another counter";
    }
    if (same(opcode, "set_mode")) {
        return equal(bytes_of(from, "mode"), &device.store.record.mode, 1) ? NULL : "another mode";
    }
    return "unknown opcode";
}

static const char *check_hello(record *from, words plaintext, const char **reason)
{
    static espseal_sealed_keys keys;
    const words session =
        same(text_of(from, "expect"), "parsed") ? bytes_of(from, "session") : plaintext;
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
    memcpy(device.newest->id, session.text, 16);
    device.newest->drawn = true;
    device.newest->welcomed = device.newest->commands = false;
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

/* A device in time, step by step: what it has published and nobody claimed yet. */
static struct {
    const char *topic;
    uint8_t payload[ESPSEAL_HELLO_FRAME_BYTES_MAX];
    size_t bytes;
} published[4];
static unsigned published_count;
static char firmware[ESPSEAL_VERSION_BYTES_MAX + 1];
static espseal_identity scenario_identity;
/* A scenario whose beginning was out of reach, or broke, has no later steps. */
static bool playing;

static void publish(const char *topic, const uint8_t *payload, size_t bytes)
{
    if (published_count == sizeof published / sizeof published[0]) {
        give_up("nobody claims what the device publishes");
    }
    published[published_count].topic = topic;
    published[published_count].bytes = bytes;
    memcpy(published[published_count++].payload, payload, bytes);
}

static const char *claim(record *from)
{
    const words topic = text_of(from, "topic"), payload = bytes_of(from, "payload");
    const char *const wrong = published_count == 0               ? "nothing was published"
                              : !same(topic, published[0].topic) ? "another topic"
                              : !equal(payload, published[0].payload, published[0].bytes)
                                  ? "another payload"
                                  : NULL;
    if (published_count > 0) {
        memmove(published, published + 1, --published_count * sizeof published[0]);
    }
    return wrong;
}

/* The device decides itself whether it draws a session; here the step does. */
static espseal_error say_hello(bool draw)
{
    uint8_t frame[ESPSEAL_HELLO_FRAME_BYTES_MAX];
    espseal_session *const session = device.newest;
    const espseal_session before = *session;
    size_t bytes;
    espseal_error error;
    device.redraw = draw;
    if (!draw) {
        session->drawn = true;
        session->welcomed = false;
        session->commands = (uint8_t)device.heard_beacon;
    }
    error = espseal_device_hello(&device, firmware, frame, &bytes);
    if (!draw) {
        *session = before;
    }
    if (error == ESPSEAL_OK) {
        publish("hello", frame, bytes);
    }
    return error;
}

static const char *as_expected(record *from, espseal_error error)
{
    const char *const word = error == ESPSEAL_OK ? "sent" : espseal_error_word(error);
    return same(text_of(from, "expect"), word) ? NULL : word;
}

/* Flash is a new board's, and the counter where the step says. */
static const char *start(record *from)
{
    sim_init(&board);
    published_count = 0;
    if (espseal_device_begin(&device, &board.platform, &scenario_identity) != ESPSEAL_OK) {
        return "not begun";
    }
    device.next = counter_of(from, "counter");
    playing = true;
    return NULL;
}

static const char *receive_frame(record *from)
{
    const words frame = bytes_of(from, "frame");
    uint8_t *const copy = room(frame.count);
    espseal_received received;
    espseal_verdict verdict;
    memcpy(copy, frame.text, frame.count);
    verdict = espseal_device_receive(&device, copy, frame.count, &received);
    if (!same(text_of(from, "expect"), espseal_verdict_word(verdict))) {
        return espseal_verdict_word(verdict);
    }
    if (received.reply_bytes > 0) {
        publish("up", received.reply, received.reply_bytes);
    }
    if (verdict == ESPSEAL_MALFORMED) {
        const words reason = text_of(from, "reason");
        /* A device does not tell formats apart: what is none is a version that it does not know. */
        return (same(reason, "unrecognised") ||
                same(reason, espseal_reason_word(ESPSEAL_PROBLEM_REASON(received.problem)))) &&
                       number_of(from, "offset") == ESPSEAL_PROBLEM_OFFSET(received.problem)
                   ? NULL
                   : espseal_reason_word(ESPSEAL_PROBLEM_REASON(received.problem));
    }
    if ((received.command != NULL) != has(from, "plaintext")) {
        return received.command != NULL ? "a command" : "no command";
    }
    return received.command == NULL ||
                   equal(bytes_of(from, "plaintext"), received.command, received.command_bytes)
               ? NULL
               : "another command";
}

static const char *send_reading(record *from)
{
    const words plaintext = bytes_of(from, "plaintext");
    const bool bound = same(text_of(from, "bound"), "true");
    uint8_t frame[100];
    const espseal_error error = espseal_device_reserve(&device);
    if (error == ESPSEAL_OK) {
        memcpy(frame + ESPSEAL_OVERHEAD_BYTES, plaintext.text, plaintext.count);
        espseal_device_finish(&device, ESPSEAL_DATA, bound ? device.beacon : NULL, frame,
                              plaintext.count);
        publish("up", frame, plaintext.count + ESPSEAL_OVERHEAD_BYTES);
    }
    return as_expected(from, error);
}

static const char *step_of(record *from)
{
    const words step = text_of(from, "step");
    const char *wrong;
    if (same(step, "scenario")) {
        const words version = bytes_of(from, "version");
        memset(&scenario_identity, 0, sizeof scenario_identity);
        memcpy(scenario_identity.key, bytes_of(from, "device_key").text, 32);
        memcpy(scenario_identity.address, bytes_of(from, "address").text, 8);
        scenario_identity.epoch = (uint16_t)number_of(from, "epoch");
        memset(firmware, 0, sizeof firmware);
        memcpy(firmware, version.text, version.count);
        return start(from);
    }
    if (!playing) {
        return "the scenario has not begun";
    }
    if (same(step, "published")) {
        return claim(from);
    }
    if (published_count > 0) {
        return "published, and not claimed";
    }
    if (same(step, "boot")) {
        scenario_identity.epoch = device.store.record.identity.epoch;
        memcpy(scenario_identity.key, device.store.record.identity.key, 32);
        return start(from);
    }
    if (same(step, "beacon")) {
        uint8_t digits[ESPSEAL_BEACON_DIGITS];
        espseal_hex(digits, (const uint8_t *)bytes_of(from, "session").text, 16, 'a');
        return espseal_device_heard_beacon(&device, digits, sizeof digits) ? NULL : "refused";
    }
    if (same(step, "clock")) {
        board.time += (uint32_t)(1000 * number_of(from, "advance"));
        (void)espseal_device_hello_due(&device);
        return NULL;
    }
    if (same(step, "hello")) {
        espseal_error error;
        board.given = (const uint8_t *)bytes_of(from, "random").text;
        error = say_hello(true);
        board.given = NULL;
        if (has(from, "session") && !equal(bytes_of(from, "session"), device.newest->id, 16)) {
            return "another session";
        }
        return as_expected(from, error);
    }
    if (same(step, "hello_again")) {
        return as_expected(from, say_hello(false));
    }
    if (same(step, "asked")) {
        uint8_t frame[ESPSEAL_HELLO_FRAME_BYTES_MAX];
        size_t bytes;
        const words random = bytes_of(from, "random");
        espseal_device_asked(&device);
        if (!espseal_device_hello_due(&device)) {
            return same(text_of(from, "expect"), "ignored") ? NULL : "ignored";
        }
        board.given = (const uint8_t *)random.text;
        wrong = as_expected(from, espseal_device_hello(&device, firmware, frame, &bytes));
        board.given = NULL;
        publish("hello", frame, bytes);
        return wrong;
    }
    if (same(step, "receive")) {
        return receive_frame(from);
    }
    if (same(step, "send")) {
        return send_reading(from);
    }
    return "an unknown step";
}

const char *check_sealed_device(record *from, const char **reason)
{
    (void)reason;
    return step_of(from);
}
