#include "classic_device.h"

#include <string.h>

#include "bytes.h"
#include "classic_known.h"

espseal_error espseal_classic_device_begin(espseal_classic_device *device,
                                           const espseal_platform *platform,
                                           const espseal_classic_secrets *secrets, unsigned scheme,
                                           const char *node, bool allow_article_keys)
{
    espseal_error error = ESPSEAL_OK;
    memset(device, 0, sizeof *device);
    device->platform = platform;
    device->node = node;
    device->node_bytes = strlen(node);
    if (!allow_article_keys) {
        error = espseal_classic_known(secrets);
    }
    if (error == ESPSEAL_OK) {
        error = espseal_classic_keys_init(&device->sealing, secrets, scheme, false);
    }
    if (error == ESPSEAL_OK) {
        error = espseal_classic_keys_init(&device->opening, secrets, scheme, true);
    }
    if (error == ESPSEAL_OK && (scheme & ESPSEAL_CLASSIC_PORT) == 0 &&
        (device->node_bytes == 0 || device->node_bytes > ESPSEAL_CLASSIC_NODE_BYTES_MAX ||
         strchr(node, '>') != NULL)) {
        error = ESPSEAL_ERROR_INVALID_NODE_ID;
    }
    (void)espseal_classic_device_ready(device);
    return error;
}

bool espseal_classic_device_heard(espseal_classic_device *device, const uint8_t *payload,
                                  size_t bytes)
{
    /* The digits themselves enter the MAC: whatever their case, they are left as they are. */
    if (bytes != ESPSEAL_CLASSIC_SESSION_DIGITS || !espseal_all_hex(payload, bytes)) {
        return false;
    }
    if (device->has_session && memcmp(device->session, payload, bytes) == 0) {
        device->has_candidate = false;
    } else if (!device->has_candidate || memcmp(device->candidate, payload, bytes) != 0) {
        memcpy(device->candidate, payload, bytes);
        device->has_candidate = true;
        device->candidate_at = device->now;
    }
    return true;
}

bool espseal_classic_device_ready(espseal_classic_device *device)
{
    device->now = device->platform->now(device->platform->context);
    if (device->has_candidate && device->now - device->candidate_at >= ESPSEAL_CLASSIC_SETTLE_MS) {
        memcpy(device->session, device->candidate, sizeof device->session);
        device->session_at = device->candidate_at;
        device->has_session = true;
        device->has_candidate = false;
    }
    /* It lives 120 s at the host; an older one may have died there. */
    if (device->has_session && device->now - device->session_at > ESPSEAL_CLASSIC_SESSION_AGE_MS) {
        device->has_session = false;
    }
    return device->has_session || (device->sealing.scheme & ESPSEAL_CLASSIC_PORT) != 0;
}

espseal_error espseal_classic_device_seal(espseal_classic_device *device, const void *data,
                                          size_t data_bytes, uint8_t *frame, size_t frame_capacity,
                                          size_t *frame_bytes)
{
    const espseal_classic_reading reading = {
        device->node,    device->node_bytes,    NULL, 0, data, data_bytes,
        device->session, sizeof device->session};
    *frame_bytes = 0;
    if (!espseal_classic_device_ready(device)) {
        return ESPSEAL_ERROR_NO_SESSION;
    }
    return espseal_classic_seal(&device->sealing, &reading, device->platform->random,
                                device->platform->context, frame, frame_capacity, frame_bytes);
}
