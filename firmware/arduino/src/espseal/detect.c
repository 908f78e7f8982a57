#include "detect.h"

#include "bytes.h"
#include "config.h"

espseal_format espseal_detect(const uint8_t *payload, size_t bytes, bool port_allowed)
{
    const size_t mac_digits = 2 * ESPSEAL_CLASSIC_MAC_BYTES;
    size_t at, commas = 0;
    if (bytes % 16 == 11 && bytes > 16 + mac_digits && payload[16] == ',' &&
        payload[bytes - mac_digits - 1] == ',' &&
        espseal_all_hex(payload + bytes - mac_digits, mac_digits)) {
        return ESPSEAL_FORMAT_RAW;
    }
    if (bytes > 0 && payload[0] == 0xf5) {
        return ESPSEAL_FORMAT_SEALED;
    }
    if (bytes > 1 && payload[0] == '9' && payload[1] == 'Q') {
        return ESPSEAL_FORMAT_ARMORED;
    }
    for (at = 0; at < bytes; at++) {
        commas += payload[at] == ',';
    }
    if (commas == 3) {
        return ESPSEAL_FORMAT_HEX;
    }
    return port_allowed && bytes > 0 && espseal_all_hex(payload, bytes)
               ? ESPSEAL_FORMAT_PORT
               : ESPSEAL_FORMAT_UNRECOGNISED;
}
