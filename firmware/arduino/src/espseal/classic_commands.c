#include <string.h>

#include "bytes.h"
#include "classic_device.h"

enum { DRAWN = ESPSEAL_CLASSIC_DRAWN, KNOWN = ESPSEAL_CLASSIC_KNOWN };

/* Makes place `at` free, and drops place `last`: what lies between moves up by one. */
static void make_room(espseal_classic_device *device, size_t at, size_t last)
{
    memmove(device->known + at + 1, device->known + at, (last - at) * sizeof device->known[0]);
    memmove(device->ids[at + 1], device->ids[at], (last - at) * sizeof device->ids[0]);
    memmove(device->macs[at + 1], device->macs[at], (last - at) * sizeof device->macs[0]);
}

const uint8_t *espseal_classic_device_shown(espseal_classic_device *device)
{
    /* Also without a command: one that was lost on its way has used up the session at the host,
     * which then waits for the next. */
    if (!device->known[0] || device->now - device->drawn_at >= ESPSEAL_CLASSIC_DRAW_EVERY_MS) {
        uint8_t bytes[ESPSEAL_CLASSIC_SESSION_DIGITS / 2];
        /* The one before may still come: a command on its way. One drawn before that would let a
         * command that was held back be obeyed for ever. */
        make_room(device, 0, DRAWN - 1);
        device->platform->random(device->platform->context, bytes, sizeof bytes);
        espseal_hex(device->ids[0], bytes, sizeof bytes, 'a');
        device->known[0] = true;
        device->drawn_at = device->now;
    }
    return device->ids[0];
}

espseal_verdict espseal_classic_device_receive(espseal_classic_device *device, uint8_t *frame,
                                               size_t frame_bytes, espseal_classic_message *message)
{
    uint8_t id[ESPSEAL_CLASSIC_SESSION_DIGITS];
    espseal_verdict verdict;
    size_t at;
    if (espseal_classic_parse(frame, frame_bytes, device->opening.scheme, message) !=
            ESPSEAL_NO_PROBLEM ||
        message->port) {
        return ESPSEAL_MALFORMED;
    }
    verdict = espseal_classic_open(&device->opening, message, device->ids[0], KNOWN,
                                   sizeof device->ids[0], device->node, device->node_bytes);
    at = message->session;
    if (verdict == ESPSEAL_FRESH && !device->known[at]) {
        verdict = ESPSEAL_FORGED;
    } else if (verdict == ESPSEAL_FRESH && message->from_bytes != 0) {
        /* A message of another node: anyone may show it this node's session as a host's. */
        verdict = ESPSEAL_WRONG_DIRECTION;
    } else if (verdict == ESPSEAL_FRESH && at >= DRAWN) {
        verdict = memcmp(device->macs[at], message->mac, sizeof message->mac) == 0
                      ? ESPSEAL_DUPLICATE
                      : ESPSEAL_STALE_SESSION;
    } else if (verdict == ESPSEAL_FRESH) {
        memcpy(id, device->ids[at], sizeof id);
        device->known[at] = false;
        make_room(device, DRAWN, KNOWN - 1);
        device->known[DRAWN] = true;
        memcpy(device->ids[DRAWN], id, sizeof id);
        memcpy(device->macs[DRAWN], message->mac, sizeof message->mac);
        return verdict;
    }
    espseal_wipe(message->data, message->data_bytes);
    return verdict;
}
