#include "sim.h"

#include <string.h>

static void fill(void *context, uint8_t *bytes, size_t count)
{
    sim *const board = context;
    uint32_t state = board->seed;
    if (board->given != NULL) {
        memcpy(bytes, board->given, count);
        return;
    }
    while (count-- > 0) {
        state = state * 1664525 + 1013904223;
        *bytes++ = (uint8_t)(state >> 24);
    }
    if (!board->repeats) {
        board->seed = state;
    }
}

static uint32_t now(void *context)
{
    return ((sim *)context)->time;
}

/* One more byte gets through, or the power fails. */
static void spend(sim *board)
{
    if (board->power == 0) {
        longjmp(board->off, 1);
    }
    if (board->power > 0) {
        board->power--;
    }
    board->writes++;
}

static bool flash_read(void *context, unsigned sector, uint32_t at, uint32_t *data, size_t count)
{
    sim *const board = context;
    if (sector > 1 || at % 4 != 0 || count % 4 != 0 || at + count > 4096) {
        return false;
    }
    memcpy(data, (uint8_t *)board->flash[sector] + at, count);
    return true;
}

static bool flash_write(void *context, unsigned sector, uint32_t at, const uint32_t *data,
                        size_t count)
{
    sim *const board = context;
    const uint8_t *from = (const uint8_t *)data;
    uint8_t *to = (uint8_t *)board->flash[sector] + at;
    if (sector > 1 || at % 4 != 0 || count % 4 != 0 || at + count > 4096 || board->flash_broken) {
        return false;
    }
    if (board->flash_stops) {
        count -= 4;
    }
    for (; count > 0 && !board->flash_forgets; count--) {
        spend(board);
        /* A write only clears bits. */
        *to++ &= *from++;
    }
    return true;
}

static bool flash_erase(void *context, unsigned sector)
{
    sim *const board = context;
    uint8_t *const bytes = (uint8_t *)board->flash[sector];
    int at;
    if (sector > 1 || board->flash_broken) {
        return false;
    }
    board->erases++;
    for (at = 0; at < 4096; at++) {
        /* In steps, for a test that cuts everywhere; whichever end goes first. */
        if (at % 64 == 0) {
            spend(board);
        }
        bytes[board->torn_erase ? 4095 - at : at] = 0xff;
    }
    return true;
}

static bool rtc_read(void *context, uint32_t word, uint32_t *data, size_t count)
{
    sim *const board = context;
    if (word < 32 || word > 128 || count % 4 != 0 || count > (128 - word) * 4) {
        return false;
    }
    memcpy(data, board->rtc + word, count);
    return true;
}

static bool rtc_write(void *context, uint32_t word, const uint32_t *data, size_t count)
{
    sim *const board = context;
    const uint8_t *from = (const uint8_t *)data;
    uint8_t *to = (uint8_t *)(board->rtc + word);
    if (word < 32 || word > 128 || count % 4 != 0 || count > (128 - word) * 4) {
        return false;
    }
    for (; count > 0; count--) {
        spend(board);
        *to++ = *from++;
    }
    return true;
}

void sim_init(sim *board)
{
    const espseal_platform platform = {fill,        now,      flash_read, flash_write,
                                       flash_erase, rtc_read, rtc_write,  NULL};
    memset(board, 0, sizeof *board);
    memset(board->flash, 0xff, sizeof board->flash);
    memcpy(&board->platform, &platform, sizeof platform);
    board->platform.context = board;
    board->seed = 1;
    board->power = -1;
    sim_power_cycle(board);
}

void sim_power_cycle(sim *board)
{
    fill(board, (uint8_t *)board->rtc, sizeof board->rtc);
}
