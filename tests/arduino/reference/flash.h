// Four sectors of flash in memory, two for the library and two for the settings, whose power fails
// after a number of bytes: from then on nothing is written or read any more, until it comes back.
#pragma once

#include <espseal/platform.h>

struct Flash {
    uint8_t sectors[4][4096]; // 0, 1: the library's; 2, 3: the settings'
    long power;               // how many bytes more it takes; negative: no end
    bool off;                 // it has failed
    unsigned long writes;     // bytes that it took
    unsigned erases;
    bool torn_bits;  // the byte at which the power fails is half programmed
    bool torn_erase; // an erase begins at the sector's end, and leaves noise
    bool forgets;    // writes change nothing, and report success
};
extern Flash flash;

// All erased, and the power is on. RTC memory is not simulated: the library finds none.
void flash_reset();
void flash_on();
// Whether these bytes are anywhere in it.
bool flash_holds(const void *bytes, size_t count);
// A number that is the same in each run.
uint32_t noise();
