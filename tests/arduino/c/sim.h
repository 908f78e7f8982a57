/* A board in memory: two sectors of flash with a flash's rules, RTC memory, a clock and a random
 * generator that the test sets, and a power supply that fails after a given number of bytes. */
#ifndef SIM_H
#define SIM_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "espseal/platform.h"

typedef struct {
    espseal_platform platform;
    uint32_t flash[2][1024];
    uint32_t rtc[128];
    uint32_t time;
    uint32_t seed;
    const uint8_t *given; /* what the generator gives, if not NULL */
    bool repeats;         /* the generator gives the same bytes again and again */
    long writes;          /* how many bytes flash and RTC memory took, an erased one included */
    long power;           /* how many more they take; negative: no end */
    bool torn_erase;      /* a cut leaves an erase half done, from the sector's end */
    jmp_buf off;          /* where it goes then */
    unsigned erases;
    bool flash_broken;  /* writes report failure */
    bool flash_stops;   /* writes lack their last 4 bytes, and report success */
    bool flash_forgets; /* writes change nothing, and report success */
} sim;

/* Erased flash, random RTC memory. */
void sim_init(sim *board);

/* Power off and on: RTC memory is lost. */
void sim_power_cycle(sim *board);

#endif
