/* What each entry point costs: "NAME INSTRUCTIONS STACK", counted by the emulator, steady state. */
#include <string.h>

#include "board.h"
#include "console.h"
#include "espseal/classic.h"
#include "world.h"

static world w;
static espseal_sealed_keys sealing, opening;
static espseal_classic_keys classic_sealing, classic_opening;
static uint8_t frame[600];
static size_t frame_bytes;
static uint8_t data[200];
static espseal_header header = {0, 0, {1, 2, 3, 4, 5, 6, 7, 8}, 1};
static const uint8_t key[33] = "0123456789abcdef0123456789abcdef";
static const espseal_classic_secrets secrets = {key, key, key, key, 16, 16, 16};
static volatile bool right = true;

static void keys_seal(void)
{
    espseal_sealed_keys_init(&sealing, key, false);
}

static void keys_open(void)
{
    espseal_sealed_keys_init(&opening, key, false);
}

static void seal(size_t bytes)
{
    header.counter++;
    right = right && espseal_sealed_seal(&sealing, &header, data, bytes, frame, sizeof frame) == 0;
}

static void seal_20(void)
{
    seal(20);
}

static void seal_200(void)
{
    seal(200);
}

static void open_20(void)
{
    right = right && espseal_sealed_open(&opening, frame, 56);
}

static void open_200(void)
{
    right = right && espseal_sealed_open(&opening, frame, 236);
}

static void classic_keys_seal(void)
{
    right = right && espseal_classic_keys_init(&classic_sealing, &secrets, 0, false) == 0;
}

static void classic_keys_open(void)
{
    right = right && espseal_classic_keys_init(&classic_opening, &secrets, 0, true) == 0;
}

static void classic_seal(size_t bytes)
{
    const espseal_classic_reading reading = {
        "11242238", 8, NULL, 0, data, bytes, (const uint8_t *)"0123456789abcdef0123456789abcdef",
        32};
    right = right && espseal_classic_seal(&classic_sealing, &reading, w.board.platform.random,
                                          &w.board, frame, sizeof frame, &frame_bytes) == 0;
}

static void classic_seal_20(void)
{
    classic_seal(20);
}

static void classic_seal_200(void)
{
    classic_seal(200);
}

static void classic_open(void)
{
    espseal_classic_message message;
    right = right && espseal_classic_parse(frame, frame_bytes, 0, &message) == ESPSEAL_NO_PROBLEM &&
            espseal_classic_open(&classic_opening, &message,
                                 (const uint8_t *)"0123456789abcdef0123456789abcdef", 1, 32, NULL,
                                 0) == ESPSEAL_FRESH;
}

static void device_begin(void)
{
    right = right && world_reset(&w) == ESPSEAL_OK;
}

static void device_seal_20(void)
{
    right = right && espseal_device_seal(&w.device, data, 20, frame, sizeof frame) == 0;
}

static void device_hello(void)
{
    right = right && espseal_device_hello(&w.device, "1.0", frame, &frame_bytes) == 0;
}

static void device_receive(void)
{
    right = right &&
            espseal_device_receive(&w.device, w.frame, w.frame_bytes, &w.received) == ESPSEAL_FRESH;
}

static void device_sleep(void)
{
    right = right && espseal_device_sleep(&w.device) == 0;
}

static void measure(const char *name, void (*run)(void))
{
    uint32_t count, stack;
    board_paint();
    count = board_ccount();
    run();
    count = board_ccount() - count;
    stack = board_painted_over();
    say(name);
    say(" ");
    say_number(count * 25);
    say(" ");
    say_number(stack);
    say("\n");
    if (!right) {
        say("FAILED\n");
        board_exit(1);
    }
}

int main(void)
{
    static const uint8_t ratchet[] = {ESPSEAL_RATCHET, 0, 1};
    memset(data, '5', sizeof data);
    measure("sealed_keys", keys_seal);
    keys_open();
    seal_20();
    open_20();
    measure("sealed_seal_20", seal_20);
    measure("sealed_open_20", open_20);
    measure("sealed_seal_200", seal_200);
    measure("sealed_open_200", open_200);

    sim_init(&w.board);
    measure("classic_keys_seal", classic_keys_seal);
    measure("classic_keys_open", classic_keys_open);
    measure("classic_seal_20", classic_seal_20);
    measure("classic_open_20", classic_open);
    measure("classic_seal_200", classic_seal_200);
    measure("classic_open_200", classic_open);

    world_init(&w);
    measure("device_begin", device_begin);
    measure("device_seal_first", device_seal_20);
    measure("device_seal_20", device_seal_20);
    host_beacon(&w, 1);
    measure("device_hello", device_hello);
    right = right && meet(&w);
    host_seals(&w, ESPSEAL_DATA, w.session, data, 20);
    measure("device_command_20", device_receive);
    host_seals(&w, ESPSEAL_CONTROL, w.session, ratchet, sizeof ratchet);
    measure("device_ratchet", device_receive);
    measure("device_sleep", device_sleep);
    board_exit(0);
}
