/* Telling the formats apart (src/SEALED.md), for a program that receives several. */
#ifndef ESPSEAL_DETECT_H
#define ESPSEAL_DETECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESPSEAL_FORMAT_UNRECOGNISED,
    ESPSEAL_FORMAT_RAW,
    ESPSEAL_FORMAT_SEALED,
    ESPSEAL_FORMAT_ARMORED,
    ESPSEAL_FORMAT_HEX,
    ESPSEAL_FORMAT_PORT
} espseal_format;

espseal_format espseal_detect(const uint8_t *payload, size_t bytes, bool port_allowed);

#ifdef __cplusplus
}
#endif
#endif
