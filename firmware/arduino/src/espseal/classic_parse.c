#include <string.h>

#include "bytes.h"
#include "classic.h"

enum { MAC_DIGITS = 2 * ESPSEAL_CLASSIC_MAC_BYTES, IV_DIGITS = 32 };

/* Digits to bytes in place, `digits` of them; their bytes are at *to. */
static espseal_problem decode(uint8_t *frame, size_t at, size_t digits, uint8_t *to)
{
    const size_t good = espseal_unhex(to, frame + at, digits / 2);
    return good == digits ? ESPSEAL_NO_PROBLEM : ESPSEAL_PROBLEM(ESPSEAL_NOT_HEX, at + good);
}

espseal_problem espseal_classic_parse(uint8_t *frame, size_t frame_bytes, unsigned scheme,
                                      espseal_classic_message *message)
{
    /* Where the fields of a frame with commas begin; the first at 0. */
    size_t starts[4] = {0, 0, 0, 0};
    size_t ends[4], at, fields = 0;
    espseal_problem problem = ESPSEAL_NO_PROBLEM;

    memset(message, 0, sizeof *message);
    message->iv = frame;
    /* O1 */
    if (frame_bytes > ESPSEAL_CLASSIC_FRAME_BYTES_MAX) {
        return ESPSEAL_PROBLEM(ESPSEAL_TOO_LONG, ESPSEAL_CLASSIC_FRAME_BYTES_MAX);
    }
    /* O2, O3: raw, by position, for commas inside the ciphertext mean nothing. */
    at = frame_bytes - MAC_DIGITS;
    if (frame_bytes % 16 == 11 && frame_bytes >= 16 + 1 + 1 + MAC_DIGITS && frame[16] == ',' &&
        frame[at - 1] == ',' && espseal_all_hex(frame + at, MAC_DIGITS)) {
        if (frame_bytes < 75 || frame[33] != ',') {
            return ESPSEAL_PROBLEM(ESPSEAL_MISSING_SEPARATOR, 33);
        }
        message->node = frame + 17;
        message->node_bytes = 16;
        message->data = frame + 34;
        message->data_bytes = at - 35;
        return decode(frame, at, MAC_DIGITS, message->mac);
    }
    /* Hex: three commas. */
    for (at = 0; at < frame_bytes; at++) {
        if (frame[at] == ',') {
            if (fields == 3) {
                fields = 0;
                break;
            }
            ends[fields++] = at;
            starts[fields] = at + 1;
        }
    }
    ends[3] = frame_bytes;
    if (fields == 3) {
        for (at = 0; at < 4; at++) {
            const size_t digits = ends[at] - starts[at];
            if (at == 0 ? digits != IV_DIGITS : at == 3 ? digits != MAC_DIGITS : digits % 32 != 0) {
                return ESPSEAL_PROBLEM(ESPSEAL_FIELD_LENGTH, starts[at]);
            }
        }
        message->node = frame + starts[1];
        message->node_bytes = (ends[1] - starts[1]) / 2;
        message->data = frame + starts[2];
        message->data_bytes = (ends[2] - starts[2]) / 2;
        for (at = 0; at < 4 && problem == ESPSEAL_NO_PROBLEM; at++) {
            problem = decode(frame, starts[at], ends[at] - starts[at],
                             at == 3 ? message->mac : frame + starts[at]);
        }
        return problem;
    }
    if ((scheme & ESPSEAL_CLASSIC_PORT) == 0 || frame_bytes == 0 ||
        !espseal_all_hex(frame, frame_bytes)) {
        return ESPSEAL_PROBLEM(ESPSEAL_UNRECOGNISED, 0);
    }
    if (frame_bytes < IV_DIGITS + 32 + MAC_DIGITS ||
        (frame_bytes - IV_DIGITS - MAC_DIGITS) % 32 != 0) {
        return ESPSEAL_PROBLEM(ESPSEAL_PORT_LENGTH, frame_bytes);
    }
    message->port = true;
    message->data = frame + IV_DIGITS;
    message->data_bytes = (frame_bytes - IV_DIGITS - MAC_DIGITS) / 2;
    problem = decode(frame, frame_bytes - MAC_DIGITS, MAC_DIGITS, message->mac);
    if (problem == ESPSEAL_NO_PROBLEM) {
        problem = decode(frame, IV_DIGITS, 2 * message->data_bytes, message->data);
    }
    return problem == ESPSEAL_NO_PROBLEM ? decode(frame, 0, IV_DIGITS, frame) : problem;
}
