/* power VARIANT: the power fails at every byte of every write of a device's life, to flash and to
 * RTC memory. Whatever is left, the device begins again, with its key, and uses no counter twice.
 *
 * Bits of the variant: 1, RTC memory survives (a reset, no power loss); 2, an interrupted erase
 * began at the sector's other end; 4, the identity is in flash alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expand.h"
#include "world.h"

static world w;
static uint64_t used;
static uint8_t keys[3][32]; /* of the epochs */
static const char *wrong;

static bool holds(const uint8_t *key)
{
    const uint8_t *at = (const uint8_t *)w.board.flash;
    const uint8_t *const end = at + sizeof w.board.flash - 32;
    for (; at < end; at++) {
        if (at[0] == key[0] && memcmp(at, key, 32) == 0) {
            return true;
        }
    }
    return false;
}

static void seal(void)
{
    espseal_error error;
    const uint64_t counter = seals(&w, &error);
    if (error != ESPSEAL_OK) {
        wrong = espseal_error_word(error);
    } else if (counter <= used) {
        wrong = "a counter used twice";
    } else {
        used = counter;
    }
}

static void begin(void)
{
    if (world_reset(&w) != ESPSEAL_OK) {
        wrong = "not begun";
    }
}

static void nap(void)
{
    if (espseal_device_sleep(&w.device) != ESPSEAL_OK) {
        wrong = "no sleep";
    }
    begin();
}

static void ratchet(unsigned epoch)
{
    if (!espseal_device_ratchet(&w.device, epoch - w.device.store.record.identity.epoch)) {
        wrong = "no ratchet";
    }
}

/* Everything that writes, in orders that matter, and over the end of a sector. */
static void life(void)
{
    unsigned at;
    begin();
    seal();
    nap();
    seal();
    seal();
    nap();
    nap();
    seal();
    ratchet(1);
    seal();
    nap();
    seal();
    begin();
    seal();
    for (at = 0; at < ESPSEAL_SLOTS; at++) {
        w.device.next += 2 * ESPSEAL_COUNTERS_RESERVED; /* as by a welcome */
        seal();
    }
    ratchet(2);
    begin();
    seal();
    nap();
    seal();
}

/* After a cut: twice, since a crash soon after it is likely. */
static void recover(bool provisioned, bool rtc_survives)
{
    unsigned at;
    for (at = 0; at < 2 && wrong == NULL; at++) {
        const espseal_identity *const identity = &w.identity;
        if (!rtc_survives) {
            sim_power_cycle(&w.board);
        }
        if (espseal_device_begin(&w.device, &w.board.platform, provisioned ? NULL : identity) !=
            ESPSEAL_OK) {
            wrong = "the key is lost";
            return;
        }
        if (w.device.store.record.identity.epoch > 2 ||
            memcmp(w.device.store.record.identity.key, keys[w.device.store.record.identity.epoch],
                   32) != 0) {
            wrong = "another key";
            return;
        }
        if (w.device.store.record.identity.epoch > 0 &&
            holds(keys[w.device.store.record.identity.epoch - 1])) {
            wrong = "an old key is left";
            return;
        }
        seal();
    }
}

int main(int count, char **arguments)
{
    const int variant = count > 1 ? atoi(arguments[1]) : 0;
    volatile long cut = 0;
    volatile bool done = false;
    for (; !done && wrong == NULL; cut = cut + 1) {
        world_init(&w);
        memcpy(keys[0], w.identity.key, 32);
        expand(keys[0], "ratchet", NULL, 0, keys[1]);
        expand(keys[1], "ratchet", NULL, 0, keys[2]);
        if ((variant & 4) == 0) {
            /* A new board, the identity in the sketch. */
            sim_init(&w.board);
        }
        w.board.torn_erase = (variant & 2) != 0;
        w.board.power = cut;
        used = 0;
        if (setjmp(w.board.off) == 0) {
            life();
            done = true;
        }
        /* And once more while it recovers, each time at another byte. */
        w.board.power = cut % 211;
        if (setjmp(w.board.off) == 0) {
            recover((variant & 4) != 0, (variant & 1) != 0);
        }
        w.board.power = -1;
        if (wrong == NULL) {
            recover((variant & 4) != 0, (variant & 1) != 0);
        }
    }
    if (wrong != NULL) {
        printf("FAILED after %ld bytes: %s\n", cut - 1, wrong);
        return 1;
    }
    printf("ok %ld cuts\n", cut - 1);
    return 0;
}
