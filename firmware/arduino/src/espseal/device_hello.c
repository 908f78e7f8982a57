#include <string.h>

#include "bytes.h"
#include "device_internal.h"
#include "hmac.h"

bool espseal_device_ready(const espseal_device *device)
{
    return device->welcomed || device->now - device->began_at >= ESPSEAL_HELD_MS;
}

/* Whether a time has come; none is ever half the clock's range away. */
static bool is_past(const espseal_device *device, uint32_t time)
{
    return (int32_t)(device->now - time) >= 0;
}

void espseal_device_hello_in(espseal_device *device, uint32_t wait)
{
    device->hello_at = device->now + wait;
    device->hello_wait = 2 * ESPSEAL_HELLO_FIRST_MS;
}

void espseal_device_connected(espseal_device *device)
{
    /* H2 */
    if (!device->welcomed || device->listening) {
        espseal_device_hello_in(device, ESPSEAL_HELLO_FIRST_MS);
    }
}

void espseal_device_asked(espseal_device *device)
{
    if (is_past(device, device->asked_at)) {
        device->asked_at = device->now + ESPSEAL_ASKED_MS;
        /* A host with a new store counts from 1, which is below the head of the session before. */
        device->redraw = true;
        espseal_device_hello_in(device, 0);
    }
}

bool espseal_device_hello_due(espseal_device *device)
{
    const espseal_platform *const platform = device->store.platform;
    device->now = platform->now(platform->context);
    /* H5. Latched, for the clock wraps around. */
    if (device->now - device->drawn_at >= ESPSEAL_OLD_SESSION_MS) {
        device->old_over = true;
    }
    return device->hello_wait != 0 && is_past(device, device->hello_at);
}

bool espseal_device_heard_beacon(espseal_device *device, const uint8_t *payload, size_t bytes)
{
    uint8_t beacon[ESPSEAL_SESSION_BYTES];
    if (bytes != ESPSEAL_BEACON_DIGITS ||
        espseal_unhex(beacon, payload, sizeof beacon) != ESPSEAL_BEACON_DIGITS) {
        return false;
    }
    /* The broker delivers a retained one anew at each connection: only the first time counts. */
    if (memcmp(device->beacon, beacon, sizeof beacon) != 0) {
        memcpy(device->beacon, beacon, sizeof beacon);
        device->beacon_at = device->now;
        if (!device->heard_beacon) {
            /* What waited for it waits no longer. */
            device->heard_beacon = true;
            device->hello_at = device->now;
        }
    }
    return true;
}

/* H1 */
static void draw(espseal_device *device)
{
    const espseal_platform *const platform = device->store.platform;
    espseal_session *session = device->newest;
    struct {
        char label[7];
        uint8_t counter[8];
        uint8_t beacon[ESPSEAL_SESSION_BYTES];
        uint8_t random[16];
        uint8_t block;
    } info;
    if (session->welcomed) {
        /* H5: from now on, welcomed or not; else who holds back a hello and a command could
         * deliver the command at any time. */
        device->old_over = false;
        device->drawn_at = device->now;
        if (session++ != device->sessions) {
            session = device->sessions;
        }
        device->newest = session;
    }
    memcpy(info.label, "session", sizeof info.label);
    info.block = 1;
    espseal_store_be(info.counter, device->next, sizeof info.counter);
    /* Zeros as long as none was heard. */
    memcpy(info.beacon, device->beacon, sizeof info.beacon);
    platform->random(platform->context, info.random, sizeof info.random);
    espseal_derive(device->store.record.identity.key, &info, sizeof info, session->id);
    session->head = 0;
    session->drawn = true;
    session->welcomed = false;
    session->commands = (uint8_t)device->heard_beacon;
    device->redraw = false;
}

static espseal_error say_hello(espseal_device *device, const char *version, uint8_t *frame,
                               size_t *frame_bytes)
{
    uint8_t *const body = frame + ESPSEAL_OVERHEAD_BYTES;
    const size_t version_bytes = strlen(version);
    const size_t bytes = ESPSEAL_SESSION_BYTES + version_bytes;
    const espseal_error error = espseal_device_reserve(device);
    if (error != ESPSEAL_OK) {
        return error;
    }
    if (version_bytes > ESPSEAL_VERSION_BYTES_MAX) {
        return ESPSEAL_ERROR_FRAME_TOO_LONG;
    }
    memcpy(body, device->newest->id, ESPSEAL_SESSION_BYTES);
    memcpy(body + ESPSEAL_SESSION_BYTES, version, version_bytes);
    espseal_device_finish(device, ESPSEAL_HELLO, device->heard_beacon ? device->beacon : NULL,
                          frame, bytes);
    *frame_bytes = ESPSEAL_OVERHEAD_BYTES + bytes;
    return ESPSEAL_OK;
}

espseal_error espseal_device_hello(espseal_device *device, const char *version, uint8_t *frame,
                                   size_t *frame_bytes)
{
    const espseal_session *const session = device->newest;
    /* The same one until it is welcomed, unless it was drawn without a beacon. */
    if (!session->drawn || session->welcomed || device->redraw ||
        session->commands != device->heard_beacon) {
        draw(device);
    }
    device->hello_at = device->now + device->hello_wait;
    if (device->hello_wait < ESPSEAL_HELLO_LAST_MS) {
        device->hello_wait *= 2;
    }
    return say_hello(device, version, frame, frame_bytes);
}
