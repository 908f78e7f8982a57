#include <string.h>

#include "bytes.h"
#include "device_internal.h"
#include "hmac.h"

bool espseal_device_ready(const espseal_device *device)
{
    return device->welcomed || espseal_device_since(device, device->began_at) >= ESPSEAL_HELD_MS;
}

void espseal_device_hello_in(espseal_device *device, uint32_t wait)
{
    device->hello_at += espseal_device_since(device, device->hello_at);
    device->hello_wait = wait;
}

void espseal_device_connected(espseal_device *device)
{
    /* H2 */
    espseal_device_hello_in(device, device->welcomed && !device->listening ? 0 : ESPSEAL_HELLO_FIRST_MS);
}

void espseal_device_asked(espseal_device *device)
{
    if (!device->was_asked ||
        espseal_device_since(device, device->asked_at) >= ESPSEAL_ASKED_MS) {
        device->was_asked = true;
        device->asked_at += espseal_device_since(device, device->asked_at);
        /* A host with a new store counts from 1, which is below the head of the session before. */
        device->redraw = true;
        espseal_device_hello_in(device, 1);
    }
}

bool espseal_device_hello_due(espseal_device *device)
{
    /* H5. Latched, for the clock wraps around. */
    if (espseal_device_since(device, device->drawn_at) >= ESPSEAL_OLD_SESSION_MS) {
        device->old_over = true;
    }
    return device->hello_wait != 0 &&
           espseal_device_since(device, device->hello_at) >= device->hello_wait;
}

bool espseal_device_heard_beacon(espseal_device *device, const uint8_t *payload, size_t bytes)
{
    uint8_t beacon[ESPSEAL_SESSION_BYTES];
    if (bytes != ESPSEAL_BEACON_DIGITS ||
        espseal_unhex(beacon, payload, sizeof beacon) != ESPSEAL_BEACON_DIGITS) {
        return false;
    }
    /* The broker delivers a retained one anew at each connection: only the first time counts. */
    if (!device->heard_beacon || memcmp(device->beacon, beacon, sizeof beacon) != 0) {
        memcpy(device->beacon, beacon, sizeof beacon);
        device->beacon_at += espseal_device_since(device, device->beacon_at);
    }
    if (!device->heard_beacon && device->hello_wait != 0) {
        espseal_device_hello_in(device, 1);
    }
    device->heard_beacon = true;
    return true;
}

/* H1 */
void espseal_device_draw(espseal_device *device)
{
    const espseal_platform *const platform = device->store.platform;
    struct {
        uint8_t counter[8];
        uint8_t beacon[ESPSEAL_SESSION_BYTES];
        uint8_t random[16];
    } extra;
    uint8_t derived[32];
    espseal_session *const session = &device->sessions[ESPSEAL_NEW];
    if (session->welcomed) {
        /* H5: from now on, welcomed or not; else who holds back a hello and a command could
         * deliver the command at any time. */
        device->sessions[ESPSEAL_OLD] = *session;
        device->old_over = false;
        device->drawn_at += espseal_device_since(device, device->drawn_at);
    }
    espseal_store_be(extra.counter, device->next, sizeof extra.counter);
    /* Zeros as long as none was heard. */
    memcpy(extra.beacon, device->beacon, sizeof extra.beacon);
    platform->random(platform->context, extra.random, sizeof extra.random);
    espseal_derive(device->record.key, "session", &extra, sizeof extra, derived);
    memcpy(session->id, derived, sizeof session->id);
    session->head = 0;
    session->drawn = true;
    session->welcomed = false;
    session->commands = device->heard_beacon;
    device->redraw = false;
}

espseal_error espseal_device_say_hello(espseal_device *device, const char *version,
                                       uint8_t *frame, size_t *frame_bytes)
{
    uint8_t body[ESPSEAL_SESSION_BYTES + ESPSEAL_VERSION_BYTES_MAX];
    const size_t version_bytes = strlen(version);
    espseal_error error;

    *frame_bytes = 0;
    if (version_bytes > ESPSEAL_VERSION_BYTES_MAX) {
        return ESPSEAL_ERROR_FRAME_TOO_LONG;
    }
    memcpy(body, device->sessions[ESPSEAL_NEW].id, ESPSEAL_SESSION_BYTES);
    memcpy(body + ESPSEAL_SESSION_BYTES, version, version_bytes);
    error = espseal_device_seal_kind(device, ESPSEAL_HELLO,
                                     device->heard_beacon ? device->beacon : NULL, body,
                                     ESPSEAL_SESSION_BYTES + version_bytes, frame,
                                     ESPSEAL_HELLO_FRAME_BYTES_MAX);
    espseal_wipe(body, sizeof body);
    if (error == ESPSEAL_OK) {
        *frame_bytes = ESPSEAL_OVERHEAD_BYTES + ESPSEAL_SESSION_BYTES + version_bytes;
    }
    return error;
}

espseal_error espseal_device_hello(espseal_device *device, const char *version, uint8_t *frame,
                                   size_t *frame_bytes)
{
    const espseal_session *const session = &device->sessions[ESPSEAL_NEW];
    const uint32_t wait = device->hello_wait;
    /* The same one until it is welcomed, unless it was drawn without a beacon. */
    if (!session->drawn || session->welcomed || device->redraw ||
        (device->heard_beacon && !session->commands)) {
        espseal_device_draw(device);
    }
    espseal_device_hello_in(device, wait < ESPSEAL_HELLO_FIRST_MS || wait > ESPSEAL_HELLO_LAST_MS
                                        ? ESPSEAL_HELLO_FIRST_MS
                                    : wait < ESPSEAL_HELLO_LAST_MS ? 2 * wait
                                                                   : ESPSEAL_HELLO_LAST_MS);
    return espseal_device_say_hello(device, version, frame, frame_bytes);
}
