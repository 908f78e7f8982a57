/* What a sealed device does, rule by rule (src/SEALED.md). Runs on the host and on the chip. */
#include <string.h>

#include "check.h"
#include "espseal/bytes.h"
#include "expand.h"
#include "tests.h"
#include "tests.h"
#include "world.h"

static world w;
static espseal_error error;

/* Time goes by, and the device has a look at the clock. */
static void pass(uint32_t milliseconds)
{
    w.board.time += milliseconds;
    (void)espseal_device_hello_due(&w.device);
}

static void first_reading_has_counter_1(void)
{
    world_init(&w);
    CHECK(seals(&w, &error) == 1);
    CHECK(seals(&w, &error) == 2);
}

static void a_reading_opens_at_the_host(void)
{
    uint8_t frame[64];
    const uint8_t *plaintext;
    size_t bytes;
    world_init(&w);
    CHECK(espseal_device_seal(&w.device, "12345", 5, frame, sizeof frame) == ESPSEAL_OK);
    CHECK(host_opens(&w, frame, 41, NULL, &plaintext, &bytes));
    CHECK(bytes == 5 && memcmp(plaintext, "12345", 5) == 0);
    /* No data at all is data. */
    CHECK(espseal_device_seal(&w.device, NULL, 0, frame, sizeof frame) == ESPSEAL_OK);
    CHECK(host_opens(&w, frame, 36, NULL, &plaintext, &bytes) && bytes == 0);
}

static void a_buffer_too_small_is_refused_and_left_empty(void)
{
    uint8_t frame[40];
    memset(frame, 0xaa, sizeof frame);
    world_init(&w);
    CHECK(espseal_device_seal(&w.device, "12345", 5, frame, 40) == ESPSEAL_ERROR_FRAME_TOO_LONG);
    CHECK(frame[0] == 0 && frame[39] == 0);
    CHECK(espseal_device_seal(&w.device, "12345", 5, frame, 10) == ESPSEAL_ERROR_FRAME_TOO_LONG);
}

static void nothing_is_sealed_before_begin(void)
{
    uint8_t frame[64];
    world_init(&w);
    memset(&w.device, 0, sizeof w.device);
    CHECK(espseal_device_seal(&w.device, "1", 1, frame, 64) == ESPSEAL_ERROR_NOT_BEGUN);
    CHECK(espseal_device_sleep(&w.device) == ESPSEAL_ERROR_NOT_BEGUN);
    host_seals(&w, ESPSEAL_DATA, w.session, "on", 2);
    CHECK(replay(&w, w.frame, w.frame_bytes) == ESPSEAL_UNKNOWN_DEVICE);
}

static void without_an_identity_it_does_not_begin(void)
{
    world_init(&w);
    sim_init(&w.board);
    CHECK(espseal_device_begin(&w.device, &w.board.platform, NULL) == ESPSEAL_ERROR_NO_IDENTITY);
    CHECK(seals(&w, &error) == 0 && error == ESPSEAL_ERROR_NOT_BEGUN);
}

static void an_identity_in_flash_needs_none_in_the_sketch(void)
{
    world_init(&w);
    CHECK(espseal_device_begin(&w.device, &w.board.platform, NULL) == ESPSEAL_OK);
    CHECK(seals(&w, &error) == 1);
    CHECK(memcmp(w.device.store.record.identity.address, w.identity.address, 8) == 0);
}

static void after_a_power_loss_it_resumes_at_the_ceiling(void)
{
    int at;
    world_init(&w);
    CHECK(seals(&w, &error) == 1);
    sim_power_cycle(&w.board);
    CHECK(world_reset(&w) == ESPSEAL_OK);
    CHECK(seals(&w, &error) == ESPSEAL_COUNTERS_RESERVED);
    for (at = 0; at < 5; at++) {
        CHECK(world_reset(&w) == ESPSEAL_OK);
    }
    /* Starting costs none: only sealing does. */
    CHECK(seals(&w, &error) == 2 * ESPSEAL_COUNTERS_RESERVED);
}

static void flash_is_written_once_for_all_that_are_reserved(void)
{
    unsigned at;
    long before;
    world_init(&w);
    CHECK(seals(&w, &error) == 1);
    before = w.board.writes;
    for (at = 2; at < ESPSEAL_COUNTERS_RESERVED; at++) {
        CHECK(seals(&w, &error) == at);
    }
    CHECK(w.board.writes == before);
    CHECK(seals(&w, &error) == ESPSEAL_COUNTERS_RESERVED);
    CHECK(w.board.writes == before + (long)ESPSEAL_RECORD_BYTES);
}

static void flash_that_fails_or_forgets_seals_nothing(void)
{
    world_init(&w);
    w.board.flash_broken = true;
    CHECK(seals(&w, &error) == 0 && error == ESPSEAL_ERROR_STORE_FAILED);
    w.board.flash_broken = false;
    w.board.flash_forgets = true;
    CHECK(seals(&w, &error) == 0 && error == ESPSEAL_ERROR_STORE_FAILED);
    w.board.flash_forgets = false;
    CHECK(seals(&w, &error) == 1);
}

static void a_place_that_was_written_half_is_not_used_again(void)
{
    world_init(&w);
    w.board.flash_stops = true;
    CHECK(seals(&w, &error) == 0 && error == ESPSEAL_ERROR_STORE_FAILED);
    CHECK(seals(&w, &error) == 0 && error == ESPSEAL_ERROR_STORE_FAILED);
    w.board.flash_stops = false;
    CHECK(seals(&w, &error) == 1);
    CHECK(world_reset(&w) == ESPSEAL_OK);
    CHECK(seals(&w, &error) == ESPSEAL_COUNTERS_RESERVED);
}

static void the_last_counter_is_used_and_none_after_it(void)
{
    world_init(&w);
    w.device.next = UINT64_MAX - 1;
    CHECK(seals(&w, &error) == UINT64_MAX - 1);
    CHECK(seals(&w, &error) == UINT64_MAX);
    CHECK(seals(&w, &error) == 0 && error == ESPSEAL_ERROR_COUNTER_EXHAUSTED);
    CHECK(world_reset(&w) == ESPSEAL_OK);
    CHECK(seals(&w, &error) == 0 && error == ESPSEAL_ERROR_COUNTER_EXHAUSTED);
    /* Nor does a welcome bring one back. */
    host_beacon(&w, 1);
    w.device.newest->drawn = true;
    memcpy(w.session, w.device.newest->id, 16);
    CHECK(host_welcomes(&w, 5) == ESPSEAL_FRESH && w.received.reply_bytes == 0);
    CHECK(seals(&w, &error) == 0 && error == ESPSEAL_ERROR_COUNTER_EXHAUSTED);
}

static void a_key_provisioned_anew_takes_over_and_the_counter_goes_on(void)
{
    world_init(&w);
    CHECK(seals(&w, &error) == 1);
    w.identity.key[5] = 0x77;
    w.identity.epoch = 0;
    CHECK(world_reset(&w) == ESPSEAL_OK);
    memcpy(w.key, w.identity.key, 32);
    CHECK(memcmp(w.device.store.record.identity.key, w.identity.key, 32) == 0);
    CHECK(seals(&w, &error) == ESPSEAL_COUNTERS_RESERVED);
}

/* Deep sleep ------------------------------------------------------------------------------------
 */

static void across_deep_sleep_no_counter_is_lost(void)
{
    int at;
    unsigned before;
    world_init(&w);
    CHECK(seals(&w, &error) == 1);
    before = w.board.erases;
    for (at = 2; at < 20; at++) {
        CHECK(espseal_device_sleep(&w.device) == ESPSEAL_OK);
        CHECK(world_reset(&w) == ESPSEAL_OK);
        CHECK(seals(&w, &error) == (uint64_t)at);
    }
    CHECK(w.board.erases == before);
}

static void asleep_nothing_is_sealed(void)
{
    uint8_t frame[ESPSEAL_HELLO_FRAME_BYTES_MAX];
    size_t bytes;
    world_init(&w);
    CHECK(meet(&w));
    CHECK(espseal_device_sleep(&w.device) == ESPSEAL_OK);
    CHECK(seals(&w, &error) == 0 && error == ESPSEAL_ERROR_ASLEEP);
    CHECK(espseal_device_hello(&w.device, "1", frame, &bytes) == ESPSEAL_ERROR_ASLEEP);
    CHECK(host_commands(&w, "on") == ESPSEAL_UNKNOWN_DEVICE && w.received.reply_bytes == 0);
    CHECK(espseal_device_sleep(&w.device) == ESPSEAL_ERROR_ASLEEP);
}

static void a_crash_after_waking_does_not_reuse_what_sleep_left(void)
{
    world_init(&w);
    CHECK(seals(&w, &error) == 1);
    CHECK(espseal_device_sleep(&w.device) == ESPSEAL_OK);
    CHECK(world_reset(&w) == ESPSEAL_OK);
    CHECK(seals(&w, &error) == 2);
    /* The watchdog: RTC memory stays. */
    CHECK(world_reset(&w) == ESPSEAL_OK);
    CHECK(seals(&w, &error) == ESPSEAL_COUNTERS_RESERVED);
}

static void rtc_memory_of_another_life_is_not_believed(void)
{
    uint32_t rtc[128];
    world_init(&w);
    CHECK(seals(&w, &error) == 1);
    CHECK(espseal_device_sleep(&w.device) == ESPSEAL_OK);
    memcpy(rtc, w.board.rtc, sizeof rtc);
    CHECK(world_reset(&w) == ESPSEAL_OK);
    w.device.next = ESPSEAL_COUNTERS_RESERVED;
    CHECK(seals(&w, &error) == ESPSEAL_COUNTERS_RESERVED);
    memcpy(w.board.rtc, rtc, sizeof rtc);
    CHECK(world_reset(&w) == ESPSEAL_OK);
    CHECK(seals(&w, &error) == 2 * ESPSEAL_COUNTERS_RESERVED);
}

static void rtc_memory_of_one_value_never_passes(void)
{
    int value;
    for (value = 0; value < 256; value++) {
        world_init(&w);
        CHECK(seals(&w, &error) == 1);
        memset(w.board.rtc, value, sizeof w.board.rtc);
        CHECK(world_reset(&w) == ESPSEAL_OK);
        CHECK(seals(&w, &error) == ESPSEAL_COUNTERS_RESERVED);
    }
}

static void flash_of_one_value_never_passes(void)
{
    int value;
    for (value = 0; value < 256; value++) {
        world_init(&w);
        memset(w.board.flash, value, sizeof w.board.flash);
        CHECK(espseal_device_begin(&w.device, &w.board.platform, NULL) ==
              ESPSEAL_ERROR_NO_IDENTITY);
        /* And then it is usable. */
        CHECK(world_reset(&w) == ESPSEAL_OK);
        CHECK(seals(&w, &error) == 1);
        CHECK(world_reset(&w) == ESPSEAL_OK);
        CHECK(seals(&w, &error) == ESPSEAL_COUNTERS_RESERVED);
    }
}

static void no_rtc_word_below_32_is_touched(void)
{
    uint32_t before[32];
    world_init(&w);
    memcpy(before, w.board.rtc, sizeof before);
    CHECK(espseal_device_sleep(&w.device) == ESPSEAL_OK);
    CHECK(world_reset(&w) == ESPSEAL_OK);
    CHECK(memcmp(before, w.board.rtc, sizeof before) == 0);
}

/* Hello and welcome -----------------------------------------------------------------------------
 */

static void a_hello_is_bound_to_the_beacon_if_there_is_one(void)
{
    uint8_t first[16];
    world_init(&w);
    CHECK(host_takes_hello(&w));
    memcpy(first, w.session, 16);
    /* The same session again, as long as it is not welcomed. */
    CHECK(host_takes_hello(&w) && memcmp(first, w.session, 16) == 0);
    host_beacon(&w, 1);
    CHECK(host_takes_hello(&w) && memcmp(first, w.session, 16) != 0);
    memcpy(first, w.session, 16);
    host_beacon(&w, 2);
    CHECK(host_takes_hello(&w) && memcmp(first, w.session, 16) == 0);
}

static void a_session_of_no_beacon_takes_no_commands(void)
{
    world_init(&w);
    CHECK(host_takes_hello(&w));
    CHECK(host_welcomes(&w, 10) == ESPSEAL_FRESH && acknowledged(&w, w.session));
    CHECK(host_commands(&w, "on") == ESPSEAL_STALE_SESSION && w.received.command == NULL);
}

static void a_false_beacon_is_ignored(void)
{
    world_init(&w);
    CHECK(!espseal_device_heard_beacon(&w.device, (const uint8_t *)"12345", 5));
    CHECK(!espseal_device_heard_beacon(&w.device,
                                       (const uint8_t *)"0123456789abcdef0123456789abcdeg", 32));
    CHECK(!w.device.heard_beacon);
    CHECK(espseal_device_heard_beacon(&w.device,
                                      (const uint8_t *)"0123456789abcdef0123456789abcdef", 32));
}

static void a_welcome_lifts_the_counter_before_anything_is_sent(void)
{
    world_init(&w);
    host_beacon(&w, 1);
    CHECK(host_takes_hello(&w));
    CHECK(host_welcomes(&w, 5000000) == ESPSEAL_FRESH);
    CHECK(acknowledged(&w, w.session));
    CHECK(w.up == 5000000);
    CHECK(seals(&w, &error) == 5000001);
    CHECK(world_reset(&w) == ESPSEAL_OK);
    CHECK(seals(&w, &error) == (5000000 | (ESPSEAL_COUNTERS_RESERVED - 1)) + 1);
}

static void a_welcome_that_cannot_be_stored_is_not_acknowledged(void)
{
    world_init(&w);
    host_beacon(&w, 1);
    CHECK(host_takes_hello(&w));
    w.board.flash_broken = true;
    CHECK(host_welcomes(&w, 5000000) == ESPSEAL_FRESH && w.received.reply_bytes == 0);
    CHECK(!w.device.welcomed && seals(&w, &error) == 0);
    w.board.flash_broken = false;
    CHECK(replay(&w, w.frame, w.frame_bytes) == ESPSEAL_DUPLICATE && acknowledged(&w, w.session));
    CHECK(w.device.welcomed && seals(&w, &error) == 5000001);
}

static void a_welcome_never_lowers_the_counter(void)
{
    world_init(&w);
    CHECK(meet(&w));
    w.device.next = 1000;
    host_beacon(&w, 9);
    CHECK(host_takes_hello(&w));
    CHECK(host_welcomes(&w, 3) == ESPSEAL_FRESH);
    CHECK(seals(&w, &error) == 1002);
}

static void a_welcome_twice_is_acknowledged_twice(void)
{
    world_init(&w);
    CHECK(meet(&w));
    CHECK(replay(&w, w.frame, w.frame_bytes) == ESPSEAL_DUPLICATE);
    CHECK(acknowledged(&w, w.session));
}

static void readings_wait_for_the_welcome_or_10_s(void)
{
    world_init(&w);
    CHECK(!espseal_device_ready(&w.device));
    pass(9999);
    CHECK(!espseal_device_ready(&w.device));
    pass(1);
    CHECK(espseal_device_ready(&w.device));
    world_init(&w);
    CHECK(meet(&w) && espseal_device_ready(&w.device));
}

/* H3 */
static void before_the_welcome_readings_are_bound_to_a_fresh_beacon(void)
{
    uint8_t frame[64];
    world_init(&w);
    CHECK(espseal_device_seal(&w.device, "1", 1, frame, 64) == ESPSEAL_OK && frame[1] == 0);
    host_beacon(&w, 1);
    CHECK(espseal_device_seal(&w.device, "1", 1, frame, 64) == ESPSEAL_OK && frame[1] == 2);
    pass(30000);
    host_beacon(&w, 1); /* delivered anew by the broker: it is as old as before */
    pass(30000);
    CHECK(espseal_device_seal(&w.device, "1", 1, frame, 64) == ESPSEAL_OK && frame[1] == 0);
    host_beacon(&w, 2);
    CHECK(espseal_device_seal(&w.device, "1", 1, frame, 64) == ESPSEAL_OK && frame[1] == 2);
    CHECK(meet(&w));
    CHECK(espseal_device_seal(&w.device, "1", 1, frame, 64) == ESPSEAL_OK && frame[1] == 0);
}

static void a_hello_comes_again_with_backoff_until_welcomed(void)
{
    uint8_t frame[ESPSEAL_HELLO_FRAME_BYTES_MAX];
    size_t bytes;
    uint32_t wait, expected = 2000;
    int at;
    world_init(&w);
    CHECK(!espseal_device_hello_due(&w.device));
    espseal_device_connected(&w.device);
    CHECK(!espseal_device_hello_due(&w.device));
    pass(2000); /* no beacon came */
    CHECK(espseal_device_hello_due(&w.device));
    for (at = 0; at < 8; at++) {
        CHECK(espseal_device_hello(&w.device, "1", frame, &bytes) == ESPSEAL_OK);
        expected = expected < 64000 ? 2 * expected : expected;
        wait = 0;
        while (!espseal_device_hello_due(&w.device)) {
            pass(100);
            wait += 100;
        }
        CHECK(wait == expected);
    }
}

static void a_beacon_that_comes_ends_the_wait(void)
{
    world_init(&w);
    espseal_device_connected(&w.device);
    host_beacon(&w, 1);
    pass(1);
    CHECK(espseal_device_hello_due(&w.device));
    CHECK(meet(&w));
    pass(1000000);
    CHECK(!espseal_device_hello_due(&w.device));
}

static void who_listens_says_hello_every_10_min_and_who_does_not_sleeps_through(void)
{
    uint8_t first[16];
    world_init(&w);
    w.device.listening = true;
    CHECK(meet(&w));
    memcpy(first, w.session, 16);
    pass(599999);
    CHECK(!espseal_device_hello_due(&w.device));
    pass(1);
    CHECK(espseal_device_hello_due(&w.device));
    CHECK(host_takes_hello(&w) && memcmp(first, w.session, 16) != 0);
    /* Sleep keeps the welcome. */
    CHECK(host_welcomes(&w, 1) == ESPSEAL_FRESH && acknowledged(&w, w.session));
    CHECK(espseal_device_sleep(&w.device) == ESPSEAL_OK && world_reset(&w) == ESPSEAL_OK);
    espseal_device_connected(&w.device);
    pass(100000);
    CHECK(!espseal_device_hello_due(&w.device) && espseal_device_ready(&w.device));
    w.device.listening = true;
    espseal_device_connected(&w.device);
    pass(2000);
    CHECK(espseal_device_hello_due(&w.device));
}

static void an_empty_message_asks_for_a_hello_once_a_minute(void)
{
    world_init(&w);
    CHECK(meet(&w));
    espseal_device_asked(&w.device);
    pass(1);
    CHECK(espseal_device_hello_due(&w.device));
    CHECK(host_takes_hello(&w) && host_welcomes(&w, 1) == ESPSEAL_FRESH);
    pass(50000);
    espseal_device_asked(&w.device);
    pass(5000);
    CHECK(!espseal_device_hello_due(&w.device));
    pass(5000);
    espseal_device_asked(&w.device);
    pass(1);
    CHECK(espseal_device_hello_due(&w.device));
}

static void asked_it_shows_another_session(void)
{
    uint8_t first[16];
    world_init(&w);
    host_beacon(&w, 1);
    CHECK(host_takes_hello(&w));
    memcpy(first, w.session, 16);
    CHECK(host_takes_hello(&w) && memcmp(first, w.session, 16) == 0);
    espseal_device_asked(&w.device);
    CHECK(host_takes_hello(&w) && memcmp(first, w.session, 16) != 0);
    memcpy(first, w.session, 16);
    CHECK(host_takes_hello(&w) && memcmp(first, w.session, 16) == 0);
}

static void a_generator_that_repeats_repeats_no_session(void)
{
    uint8_t first[16];
    world_init(&w);
    w.board.repeats = true;
    host_beacon(&w, 1);
    CHECK(host_takes_hello(&w));
    memcpy(first, w.session, 16);
    CHECK(world_reset(&w) == ESPSEAL_OK);
    host_beacon(&w, 1);
    CHECK(host_takes_hello(&w) && memcmp(first, w.session, 16) != 0);
    /* A wipe as well: the beacon is another. */
    sim_init(&w.board);
    w.board.repeats = true;
    CHECK(world_reset(&w) == ESPSEAL_OK);
    host_beacon(&w, 2);
    CHECK(host_takes_hello(&w) && memcmp(first, w.session, 16) != 0);
}

/* A device that lost all comes back above what it ever used. */
static void a_wiped_device_comes_back(void)
{
    int at;
    world_init(&w);
    CHECK(meet(&w));
    for (at = 0; at < 100; at++) {
        (void)seals(&w, &error);
    }
    w.up = 102;
    sim_init(&w.board);
    CHECK(world_reset(&w) == ESPSEAL_OK);
    host_beacon(&w, 2);
    CHECK(host_takes_hello(&w));
    CHECK(w.up == 102);
    CHECK(host_welcomes(&w, 102 + (1 << 20)) == ESPSEAL_FRESH && acknowledged(&w, w.session));
    CHECK(seals(&w, &error) == 102 + (1 << 20) + 1);
}

static void hellos_may_be_swapped_and_welcomes_lost(void)
{
    uint8_t first[16], second[16];
    world_init(&w);
    CHECK(meet(&w));
    memcpy(first, w.session, 16);
    host_beacon(&w, 5);
    CHECK(host_takes_hello(&w)); /* its welcome is lost */
    memcpy(second, w.session, 16);
    memcpy(w.session, first, 16);
    CHECK(host_commands(&w, "on") == ESPSEAL_FRESH); /* the previous one stays until then */
    memcpy(w.session, second, 16);
    CHECK(host_commands(&w, "on") == ESPSEAL_STALE_SESSION); /* not welcomed */
    CHECK(host_takes_hello(&w) && memcmp(w.session, second, 16) == 0);
    CHECK(host_welcomes(&w, w.up + 1) == ESPSEAL_FRESH);
    CHECK(host_commands(&w, "on") == ESPSEAL_FRESH);
}

/* Commands --------------------------------------------------------------------------------------
 */

static void a_command_is_handed_over_and_acknowledged(void)
{
    world_init(&w);
    CHECK(meet(&w));
    CHECK(host_commands(&w, "relay=on") == ESPSEAL_FRESH);
    CHECK(acknowledged(&w, w.session));
    host_seals(&w, ESPSEAL_DATA, w.session, "relay=off", 9);
    CHECK(espseal_device_receive(&w.device, w.frame, w.frame_bytes, &w.received) == ESPSEAL_FRESH);
    CHECK(w.received.command_bytes == 9 && memcmp(w.received.command, "relay=off", 9) == 0);
}

static void the_same_again_is_a_duplicate_and_acknowledged_again(void)
{
    world_init(&w);
    CHECK(meet(&w));
    CHECK(host_commands(&w, "on") == ESPSEAL_FRESH);
    CHECK(replay(&w, w.frame, w.frame_bytes) == ESPSEAL_DUPLICATE);
    CHECK(w.received.command == NULL && acknowledged(&w, w.session));
}

static void a_withheld_command_does_not_open_after_a_later_one(void)
{
    uint8_t unlock[64];
    size_t bytes;
    world_init(&w);
    CHECK(meet(&w));
    host_seals(&w, ESPSEAL_DATA, w.session, "unlock", 6);
    memcpy(unlock, w.frame, sizeof unlock);
    bytes = w.frame_bytes;
    CHECK(host_commands(&w, "lock") == ESPSEAL_FRESH);
    CHECK(replay(&w, unlock, bytes) == ESPSEAL_REPLAYED);
    CHECK(w.received.command == NULL && w.received.reply_bytes == 0);
}

static void nor_under_the_session_before(void)
{
    uint8_t unlock[64];
    size_t bytes;
    world_init(&w);
    CHECK(meet(&w));
    host_seals(&w, ESPSEAL_DATA, w.session, "unlock", 6);
    memcpy(unlock, w.frame, sizeof unlock);
    bytes = w.frame_bytes;
    CHECK(meet(&w));
    CHECK(host_commands(&w, "lock") == ESPSEAL_FRESH);
    CHECK(replay(&w, unlock, bytes) == ESPSEAL_STALE_SESSION && w.received.command == NULL);
}

static void the_old_session_lives_60_s_after_the_new_was_drawn(void)
{
    uint8_t late[64], later[64];
    size_t bytes;
    world_init(&w);
    CHECK(meet(&w));
    host_seals(&w, ESPSEAL_DATA, w.session, "first", 5);
    memcpy(late, w.frame, sizeof late);
    host_seals(&w, ESPSEAL_DATA, w.session, "other", 5);
    memcpy(later, w.frame, sizeof later);
    bytes = w.frame_bytes;
    CHECK(meet(&w));
    pass(59999);
    CHECK(replay(&w, late, bytes) == ESPSEAL_FRESH && w.received.command != NULL);
    pass(1);
    CHECK(replay(&w, later, bytes) == ESPSEAL_STALE_SESSION && w.received.command == NULL);
    /* The clock has wrapped around by then, and it stays over. */
    (void)espseal_device_hello_due(&w.device);
    w.board.time = w.device.drawn_at + 5;
    CHECK(replay(&w, later, bytes) == ESPSEAL_STALE_SESSION);
}

static void a_sole_command_after_11_min_is_stale(void)
{
    uint8_t sole[64];
    size_t bytes;
    world_init(&w);
    w.device.listening = true;
    CHECK(meet(&w));
    host_seals(&w, ESPSEAL_DATA, w.session, "on", 2);
    memcpy(sole, w.frame, sizeof sole);
    bytes = w.frame_bytes;
    pass(600000);
    CHECK(espseal_device_hello_due(&w.device) && meet(&w));
    pass(60000);
    CHECK(replay(&w, sole, bytes) == ESPSEAL_STALE_SESSION && w.received.command == NULL);
}

static void what_is_not_for_it_is_refused(void)
{
    uint8_t frame[64], changed;
    world_init(&w);
    CHECK(meet(&w));
    CHECK(host_sends(&w, ESPSEAL_DATA, NULL, "on", 2) == ESPSEAL_STALE_SESSION);
    CHECK(w.received.command == NULL && w.received.reply_bytes == 0);
    CHECK(espseal_device_seal(&w.device, "on", 2, frame, sizeof frame) == ESPSEAL_OK);
    CHECK(replay(&w, frame, 38) == ESPSEAL_WRONG_DIRECTION); /* an uplink, reflected */
    host_seals(&w, ESPSEAL_DATA, w.session, "on", 2);
    w.frame[4] ^= 1;
    CHECK(replay(&w, w.frame, w.frame_bytes) == ESPSEAL_UNKNOWN_DEVICE);
    w.frame[4] ^= 1;
    w.frame[3] ^= 1;
    CHECK(replay(&w, w.frame, w.frame_bytes) == ESPSEAL_WRONG_EPOCH);
    w.frame[3] ^= 1;
    for (changed = 12; changed < 38; changed++) {
        w.frame[changed] ^= 0x80;
        CHECK(replay(&w, w.frame, w.frame_bytes) == ESPSEAL_FORGED);
        CHECK(w.received.command == NULL && w.received.reply_bytes == 0);
        w.frame[changed] ^= 0x80;
    }
    CHECK(replay(&w, w.frame, 35) == ESPSEAL_MALFORMED);
    CHECK(w.received.problem == ESPSEAL_PROBLEM(ESPSEAL_TOO_SHORT, 35));
    CHECK(replay(&w, w.frame, w.frame_bytes) == ESPSEAL_FRESH);
}

static void after_a_reset_captured_commands_open_nothing(void)
{
    uint8_t on[64];
    size_t bytes;
    world_init(&w);
    CHECK(meet(&w));
    CHECK(host_commands(&w, "on") == ESPSEAL_FRESH);
    memcpy(on, w.frame, sizeof on);
    bytes = w.frame_bytes;
    w.board.repeats = true;
    CHECK(world_reset(&w) == ESPSEAL_OK);
    CHECK(replay(&w, on, bytes) == ESPSEAL_FORGED);
    CHECK(meet(&w));
    CHECK(replay(&w, on, bytes) == ESPSEAL_FORGED);
}

/* The ratchet -----------------------------------------------------------------------------------
 */

static espseal_verdict ratchet_to(uint16_t epoch)
{
    uint8_t body[3] = {ESPSEAL_RATCHET};
    espseal_store_be(body + 1, epoch, 2);
    return host_sends(&w, ESPSEAL_CONTROL, w.session, body, sizeof body);
}

static void host_ratchets(void)
{
    uint8_t next[32];
    expand(w.key, "ratchet", NULL, 0, next);
    memcpy(w.key, next, 32);
    w.epoch++;
}

static bool flash_holds(const uint8_t *key)
{
    const uint8_t *at = (const uint8_t *)w.board.flash;
    const uint8_t *const end = at + sizeof w.board.flash - 32;
    for (; at < end; at++) {
        if (memcmp(at, key, 32) == 0) {
            return true;
        }
    }
    return false;
}

static void a_ratchet_overwrites_the_old_key_and_is_acknowledged_under_the_new(void)
{
    uint8_t old[32];
    world_init(&w);
    CHECK(meet(&w));
    memcpy(old, w.key, 32);
    CHECK(flash_holds(old));
    CHECK(ratchet_to(1) == ESPSEAL_FRESH);
    host_ratchets();
    CHECK(acknowledged(&w, w.session));
    CHECK(!flash_holds(old) && flash_holds(w.key));
    CHECK(memcmp(w.device.store.record.identity.key, old, 32) != 0);
    CHECK(host_commands(&w, "on") == ESPSEAL_FRESH && acknowledged(&w, w.session));
    /* The sketch still has the first key: the record's is the one that counts. */
    CHECK(world_reset(&w) == ESPSEAL_OK && w.device.store.record.identity.epoch == 1);
    CHECK(meet(&w));
}

static void a_ratchet_to_where_it_is_changes_nothing(void)
{
    world_init(&w);
    CHECK(meet(&w));
    CHECK(ratchet_to(2) == ESPSEAL_FRESH);
    host_ratchets();
    host_ratchets();
    CHECK(acknowledged(&w, w.session));
    CHECK(ratchet_to(2) == ESPSEAL_FRESH && acknowledged(&w, w.session));
    CHECK(ratchet_to(1) == ESPSEAL_FRESH && acknowledged(&w, w.session));
    CHECK(w.device.store.record.identity.epoch == 2);
    CHECK(ratchet_to(6) == ESPSEAL_FRESH && w.received.reply_bytes == 0);
    CHECK(w.device.store.record.identity.epoch == 2);
    CHECK(ratchet_to(5) == ESPSEAL_FRESH);
    CHECK(w.device.store.record.identity.epoch == 5);
}

static void a_ratchet_that_cannot_be_stored_is_none(void)
{
    world_init(&w);
    CHECK(meet(&w));
    w.board.flash_broken = true;
    CHECK(ratchet_to(1) == ESPSEAL_FRESH && w.received.reply_bytes == 0);
    w.board.flash_broken = false;
    CHECK(w.device.store.record.identity.epoch == 0);
    CHECK(host_commands(&w, "on") == ESPSEAL_FRESH && acknowledged(&w, w.session));
}

static void a_mode_is_set_and_told(void)
{
    static const uint8_t set[] = {ESPSEAL_SET_MODE, 7}, query[] = {ESPSEAL_QUERY_MODE};
    const uint8_t *plaintext;
    size_t bytes;
    world_init(&w);
    CHECK(meet(&w));
    CHECK(host_sends(&w, ESPSEAL_CONTROL, w.session, set, 2) == ESPSEAL_FRESH);
    CHECK(acknowledged(&w, w.session) && w.device.store.record.mode == 7);
    CHECK(host_sends(&w, ESPSEAL_CONTROL, w.session, query, 1) == ESPSEAL_FRESH);
    CHECK(host_opens(&w, w.received.reply, w.received.reply_bytes, w.session, &plaintext, &bytes));
    CHECK(bytes == 2 && plaintext[0] == ESPSEAL_MODE && plaintext[1] == 7);
}

static void flash_wears_evenly(void)
{
    unsigned at;
    world_init(&w);
    w.board.erases = 0;
    for (at = 0; at < 10 * ESPSEAL_SLOTS; at++) {
        CHECK(world_reset(&w) == ESPSEAL_OK);
        CHECK(seals(&w, &error) == (at == 0 ? 1 : (uint64_t)at * ESPSEAL_COUNTERS_RESERVED));
    }
    CHECK(w.board.erases <= 22);
}

#define TEST(name)  \
    {               \
#name, name \
    }
const test device_tests[] = {
    TEST(first_reading_has_counter_1),
    TEST(a_reading_opens_at_the_host),
    TEST(a_buffer_too_small_is_refused_and_left_empty),
    TEST(nothing_is_sealed_before_begin),
    TEST(without_an_identity_it_does_not_begin),
    TEST(an_identity_in_flash_needs_none_in_the_sketch),
    TEST(after_a_power_loss_it_resumes_at_the_ceiling),
    TEST(flash_is_written_once_for_all_that_are_reserved),
    TEST(flash_that_fails_or_forgets_seals_nothing),
    TEST(a_place_that_was_written_half_is_not_used_again),
    TEST(the_last_counter_is_used_and_none_after_it),
    TEST(a_key_provisioned_anew_takes_over_and_the_counter_goes_on),
    TEST(across_deep_sleep_no_counter_is_lost),
    TEST(asleep_nothing_is_sealed),
    TEST(a_crash_after_waking_does_not_reuse_what_sleep_left),
    TEST(rtc_memory_of_another_life_is_not_believed),
    TEST(rtc_memory_of_one_value_never_passes),
    TEST(flash_of_one_value_never_passes),
    TEST(no_rtc_word_below_32_is_touched),
    TEST(a_hello_is_bound_to_the_beacon_if_there_is_one),
    TEST(a_session_of_no_beacon_takes_no_commands),
    TEST(a_false_beacon_is_ignored),
    TEST(a_welcome_lifts_the_counter_before_anything_is_sent),
    TEST(a_welcome_that_cannot_be_stored_is_not_acknowledged),
    TEST(a_welcome_never_lowers_the_counter),
    TEST(a_welcome_twice_is_acknowledged_twice),
    TEST(readings_wait_for_the_welcome_or_10_s),
    TEST(before_the_welcome_readings_are_bound_to_a_fresh_beacon),
    TEST(a_hello_comes_again_with_backoff_until_welcomed),
    TEST(a_beacon_that_comes_ends_the_wait),
    TEST(who_listens_says_hello_every_10_min_and_who_does_not_sleeps_through),
    TEST(an_empty_message_asks_for_a_hello_once_a_minute),
    TEST(asked_it_shows_another_session),
    TEST(a_generator_that_repeats_repeats_no_session),
    TEST(a_wiped_device_comes_back),
    TEST(hellos_may_be_swapped_and_welcomes_lost),
    TEST(a_command_is_handed_over_and_acknowledged),
    TEST(the_same_again_is_a_duplicate_and_acknowledged_again),
    TEST(a_withheld_command_does_not_open_after_a_later_one),
    TEST(nor_under_the_session_before),
    TEST(the_old_session_lives_60_s_after_the_new_was_drawn),
    TEST(a_sole_command_after_11_min_is_stale),
    TEST(what_is_not_for_it_is_refused),
    TEST(after_a_reset_captured_commands_open_nothing),
    TEST(a_ratchet_overwrites_the_old_key_and_is_acknowledged_under_the_new),
    TEST(a_ratchet_to_where_it_is_changes_nothing),
    TEST(a_ratchet_that_cannot_be_stored_is_none),
    TEST(a_mode_is_set_and_told),
    TEST(flash_wears_evenly),
};
const unsigned device_test_count = sizeof device_tests / sizeof device_tests[0];
