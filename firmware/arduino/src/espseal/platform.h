/* What the library needs of a board. Everything is injected, so that it runs anywhere. */
#ifndef ESPSEAL_PLATFORM_H
#define ESPSEAL_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    /* Random bytes that nobody can predict: a board whose radio feeds its generator has none
     * before the radio is up. */
    void (*random)(void *context, uint8_t *bytes, size_t count);
    /* Milliseconds, from anywhere, wrapping around. */
    uint32_t (*now)(void *context);
    /* Two sectors of flash, 0 and 1, of 4096 bytes each. `at` and `count` are multiples of 4,
     * `data` is aligned. A write only clears bits; an erased sector is all 0xFF. */
    bool (*flash_read)(void *context, unsigned sector, uint32_t at, uint32_t *data, size_t count);
    bool (*flash_write)(void *context, unsigned sector, uint32_t at, const uint32_t *data,
                        size_t count);
    bool (*flash_erase)(void *context, unsigned sector);
    /* Memory that outlives deep sleep, and is lost with the power. `word` counts 4 bytes. */
    bool (*rtc_read)(void *context, uint32_t word, uint32_t *data, size_t count);
    bool (*rtc_write)(void *context, uint32_t word, const uint32_t *data, size_t count);
    void *context; /* handed to each of them */
} espseal_platform;

#endif
