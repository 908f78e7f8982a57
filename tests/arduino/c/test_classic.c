/* What a classic node does with sessions and commands (src/CLASSIC.md). Runs on the host and on the
 * chip. */
#include <string.h>

#include "check.h"
#include "espseal/classic_device.h"
#include "sim.h"
#include "tests.h"

static sim board;
static espseal_classic_device node;
static uint8_t frame[400];
static size_t frame_bytes;
static espseal_classic_message message;
static espseal_error error;

static const uint8_t key[] = "a key of 16 byte", other[] = "another, 16 byte";
static const espseal_classic_secrets secrets = {key, other, other, key, 16, 16, 16};
static const uint8_t first[] = "00112233445566778899aabbccddeeff";
static const uint8_t second[] = "ffeeddccbbaa99887766554433221100";

static void begin(void)
{
    sim_init(&board);
    error = espseal_classic_device_begin(&node, &board.platform, &secrets, ESPSEAL_CLASSIC_HEX,
                                         "11242238", false);
}

static bool pass(uint32_t milliseconds)
{
    board.time += milliseconds;
    return espseal_classic_device_ready(&node);
}

static bool hear(const uint8_t *id)
{
    return espseal_classic_device_heard(&node, id, 32);
}

/* A command of the host, or a message of a node, under a session; in `frame`. */
static void host_seals(const char *from, const char *to, const uint8_t *session, const char *data)
{
    static espseal_classic_keys keys;
    const espseal_classic_reading reading = {from,
                                             from == NULL ? 0 : strlen(from),
                                             to,
                                             strlen(to),
                                             (const uint8_t *)data,
                                             strlen(data),
                                             session,
                                             32};
    CHECK(espseal_classic_keys_init(&keys, &secrets, 0, false) == ESPSEAL_OK);
    CHECK(espseal_classic_seal(&keys, &reading, board.platform.random, &board, frame, sizeof frame,
                               &frame_bytes) == ESPSEAL_OK);
}

static espseal_verdict receive(void)
{
    static uint8_t copy[sizeof frame];
    memcpy(copy, frame, frame_bytes);
    return espseal_classic_device_receive(&node, copy, frame_bytes, &message);
}

static void without_a_session_nothing_is_sealed(void)
{
    begin();
    CHECK(error == ESPSEAL_OK);
    CHECK(espseal_classic_device_seal(&node, "5", 1, frame, sizeof frame, &frame_bytes) ==
          ESPSEAL_ERROR_NO_SESSION);
    CHECK(frame_bytes == 0);
}

static void a_reading_opens_under_the_session_heard(void)
{
    static espseal_classic_keys host;
    begin();
    CHECK(hear(first) && pass(1000));
    CHECK(espseal_classic_device_seal(&node, "23.5", 4, frame, sizeof frame, &frame_bytes) ==
          ESPSEAL_OK);
    CHECK(espseal_classic_keys_init(&host, &secrets, 0, true) == ESPSEAL_OK);
    CHECK(espseal_classic_parse(frame, frame_bytes, 0, &message) == ESPSEAL_NO_PROBLEM);
    CHECK(espseal_classic_open(&host, &message, first, 1, 32, NULL, 0) == ESPSEAL_FRESH);
    CHECK(message.node_bytes == 8 && memcmp(message.node, "11242238", 8) == 0);
    CHECK(message.data_bytes == 4 && memcmp(message.data, "23.5", 4) == 0);
}

static void a_session_counts_once_it_has_stood(void)
{
    begin();
    CHECK(hear(first) && !pass(999) && pass(1));
    /* A false one, answered by the host: the true one stays. */
    CHECK(hear(second) && pass(500) && hear(first) && pass(5000));
    CHECK(memcmp(node.session, first, 32) == 0);
    CHECK(hear(second) && pass(1000) && memcmp(node.session, second, 32) == 0);
}

static void a_session_is_used_for_a_minute(void)
{
    begin();
    CHECK(hear(first) && pass(1000));
    /* The broker delivers it anew, which makes it no younger. */
    CHECK(hear(first) && pass(59000) && hear(first) && !pass(1));
    CHECK(hear(second) && !pass(999) && pass(1));
}

static void what_is_no_session_is_ignored(void)
{
    begin();
    CHECK(!espseal_classic_device_heard(&node, first, 31));
    CHECK(!espseal_classic_device_heard(&node, (const uint8_t *)"", 0));
    CHECK(!hear((const uint8_t *)"00112233445566778899aabbccddeefg"));
    CHECK(!pass(5000));
}

static void keys_that_everyone_knows_are_refused(void)
{
    static const uint8_t printed[] = "0123456789abcdef", changed[] = "CHANGE-ME-iv-key";
    espseal_classic_secrets known = secrets;
    begin();
    known.data_key = printed;
    CHECK(espseal_classic_device_begin(&node, &board.platform, &known, 0, "1", false) ==
          ESPSEAL_ERROR_ARTICLE_KEYS);
    CHECK(espseal_classic_device_begin(&node, &board.platform, &known, 0, "1", true) == ESPSEAL_OK);
    known.data_key = changed;
    CHECK(espseal_classic_device_begin(&node, &board.platform, &known, 0, "1", false) ==
          ESPSEAL_ERROR_PLACEHOLDER_KEYS);
    known.data_key_bytes = 15;
    CHECK(espseal_classic_device_begin(&node, &board.platform, &known, 0, "1", true) ==
          ESPSEAL_ERROR_WRONG_KEY_LENGTH);
}

static void a_node_id_that_is_none_is_refused(void)
{
    begin();
    CHECK(espseal_classic_device_begin(&node, &board.platform, &secrets, 0, "", false) ==
          ESPSEAL_ERROR_INVALID_NODE_ID);
    CHECK(espseal_classic_device_begin(&node, &board.platform, &secrets, 0, "0123456789abcdef",
                                       false) == ESPSEAL_ERROR_INVALID_NODE_ID);
    CHECK(espseal_classic_device_begin(&node, &board.platform, &secrets, 0, "1>2", false) ==
          ESPSEAL_ERROR_INVALID_NODE_ID);
}

static void a_command_opens_once(void)
{
    uint8_t shown[32];
    begin();
    memcpy(shown, espseal_classic_device_shown(&node), 32);
    host_seals(NULL, "11242238", shown, "on");
    CHECK(receive() == ESPSEAL_FRESH);
    CHECK(message.data_bytes == 2 && memcmp(message.data, "on", 2) == 0);
    CHECK(receive() == ESPSEAL_DUPLICATE);
    host_seals(NULL, "11242238", shown, "on");
    CHECK(receive() == ESPSEAL_STALE_SESSION);
    CHECK(memcmp(shown, espseal_classic_device_shown(&node), 32) != 0);
}

static void commands_of_others_and_for_others_are_refused(void)
{
    uint8_t shown[32];
    begin();
    memcpy(shown, espseal_classic_device_shown(&node), 32);
    host_seals(NULL, "7", shown, "on");
    CHECK(receive() == ESPSEAL_WRONG_DIRECTION);
    host_seals("7", "1124223", shown, "on");
    CHECK(receive() == ESPSEAL_WRONG_DIRECTION);
    host_seals("7", "11242238", shown, "on");
    CHECK(receive() == ESPSEAL_WRONG_DIRECTION);
    host_seals(NULL, "11242238", first, "on");
    CHECK(receive() == ESPSEAL_FORGED);
    /* What was never drawn is not known by its zeros. */
    host_seals(NULL, "11242238",
               (const uint8_t *)"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
               "on");
    CHECK(receive() == ESPSEAL_FORGED);
    frame[0] = ',';
    CHECK(receive() == ESPSEAL_MALFORMED);
    host_seals(NULL, "11242238", shown, "on");
    CHECK(receive() == ESPSEAL_FRESH);
}

static void a_command_held_back_dies_with_its_session(void)
{
    uint8_t held[32];
    begin();
    memcpy(held, espseal_classic_device_shown(&node), 32);
    (void)pass(60000);
    CHECK(memcmp(held, espseal_classic_device_shown(&node), 32) != 0);
    host_seals(NULL, "11242238", held, "on");
    CHECK(receive() == ESPSEAL_FRESH); /* the one before may still come */
    memcpy(held, espseal_classic_device_shown(&node), 32);
    (void)pass(60000);
    (void)espseal_classic_device_shown(&node);
    (void)pass(60000);
    (void)espseal_classic_device_shown(&node);
    host_seals(NULL, "11242238", held, "on");
    CHECK(receive() == ESPSEAL_FORGED);
}

static void repeated_commands_are_known_for_a_while(void)
{
    static uint8_t frames[6][sizeof frame];
    size_t bytes[6], at;
    begin();
    for (at = 0; at < 6; at++) {
        host_seals(NULL, "11242238", espseal_classic_device_shown(&node), "on");
        memcpy(frames[at], frame, frame_bytes);
        bytes[at] = frame_bytes;
        CHECK(receive() == ESPSEAL_FRESH);
    }
    for (at = 0; at < 6; at++) {
        memcpy(frame, frames[at], bytes[at]);
        frame_bytes = bytes[at];
        CHECK(receive() == (at < 2 ? ESPSEAL_FORGED : ESPSEAL_DUPLICATE));
    }
}

#define TEST(name)  \
    {               \
#name, name \
    }
const test classic_tests[] = {
    TEST(without_a_session_nothing_is_sealed),
    TEST(a_reading_opens_under_the_session_heard),
    TEST(a_session_counts_once_it_has_stood),
    TEST(a_session_is_used_for_a_minute),
    TEST(what_is_no_session_is_ignored),
    TEST(keys_that_everyone_knows_are_refused),
    TEST(a_node_id_that_is_none_is_refused),
    TEST(a_command_opens_once),
    TEST(commands_of_others_and_for_others_are_refused),
    TEST(a_command_held_back_dies_with_its_session),
    TEST(repeated_commands_are_known_for_a_while),
};
const unsigned classic_test_count = sizeof classic_tests / sizeof classic_tests[0];
