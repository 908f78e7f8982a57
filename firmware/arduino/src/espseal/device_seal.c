#include <string.h>

#include "device_internal.h"

uint32_t espseal_device_since(const espseal_device *device, uint32_t time)
{
    const espseal_platform *const platform = device->store.platform;
    return platform->now(platform->context) - time;
}

/* D1: no counter is used before flash says that it may have been. */
static espseal_error reserve(espseal_device *device)
{
    espseal_record record;
    espseal_error error;
    if (device->next <= device->record.counter) {
        return ESPSEAL_OK;
    }
    record = device->record;
    record.counter = device->next + (ESPSEAL_COUNTERS_RESERVED - 1);
    if (record.counter < device->next) {
        record.counter = UINT64_MAX;
    }
    error = espseal_store_save(&device->store, &record, false);
    if (error == ESPSEAL_OK) {
        device->record = record;
    }
    return error;
}

espseal_error espseal_device_seal_kind(espseal_device *device, uint8_t kind,
                                       const uint8_t *session, const void *data,
                                       size_t data_bytes, uint8_t *frame, size_t frame_capacity)
{
    espseal_header header;
    espseal_error error;
    if (!device->begun) {
        return ESPSEAL_ERROR_NOT_BEGUN;
    }
    if (device->asleep) {
        return ESPSEAL_ERROR_ASLEEP;
    }
    if (device->next == 0) {
        return ESPSEAL_ERROR_COUNTER_EXHAUSTED;
    }
    error = reserve(device);
    if (error != ESPSEAL_OK) {
        return error;
    }
    header.flags = kind;
    header.epoch = device->record.epoch;
    memcpy(header.address, device->record.address, sizeof header.address);
    header.counter = device->next++;
    espseal_sealed_bind(&device->uplink, session);
    return espseal_sealed_seal(&device->uplink, &header, data, data_bytes, frame, frame_capacity);
}

espseal_error espseal_device_seal(espseal_device *device, const void *data, size_t data_bytes,
                                  uint8_t *frame, size_t frame_capacity)
{
    /* H3: a host without this device's window could not take an unbound one. */
    const bool bound = !device->welcomed && device->heard_beacon &&
                       espseal_device_since(device, device->beacon_at) < ESPSEAL_BEACON_FRESH_MS;
    return espseal_device_seal_kind(device, ESPSEAL_DATA, bound ? device->beacon : NULL, data,
                                    data_bytes, frame, frame_capacity);
}
