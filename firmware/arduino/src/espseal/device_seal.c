#include <string.h>

#include "bytes.h"
#include "device_internal.h"
#include "siv.h"

/* D1: no counter is used before flash says that it may have been. */
espseal_error espseal_device_reserve(espseal_device *device)
{
    espseal_record *const record = &device->record;
    const uint64_t before = record->counter, next = device->next;
    uint64_t last = next + (ESPSEAL_COUNTERS_RESERVED - 1);
    if (!device->begun) {
        return ESPSEAL_ERROR_NOT_BEGUN;
    }
    if (device->asleep) {
        return ESPSEAL_ERROR_ASLEEP;
    }
    if (next == 0) {
        return ESPSEAL_ERROR_COUNTER_EXHAUSTED;
    }
    if (next > before) {
        record->counter = last < next ? UINT64_MAX : last;
        if (espseal_store_save(&device->store, record, false) != ESPSEAL_OK) {
            record->counter = before;
            return ESPSEAL_ERROR_STORE_FAILED;
        }
    }
    return ESPSEAL_OK;
}

void espseal_device_finish(espseal_device *device, unsigned kind, const uint8_t *session,
                           uint8_t *frame, size_t data_bytes)
{
    frame[0] = ESPSEAL_MAGIC;
    frame[1] = (uint8_t)(session == NULL ? kind : kind | ESPSEAL_BOUND);
    espseal_store_be(frame + 2, device->record.identity.epoch, 2);
    memcpy(frame + 4, device->record.identity.address, ESPSEAL_ADDRESS_BYTES);
    espseal_store_be(frame + 12, device->next++, 8);
    espseal_sealed_bind(&device->uplink, session);
    espseal_siv_seal(&device->uplink, frame, data_bytes);
}

espseal_error espseal_device_seal(espseal_device *device, const void *data, size_t data_bytes,
                                  uint8_t *frame, size_t frame_capacity)
{
    /* H3: a host without this device's window could not take an unbound one. */
    const bool bound = !device->welcomed && device->heard_beacon &&
                       device->now - device->beacon_at < ESPSEAL_BEACON_FRESH_MS;
    const espseal_error error = espseal_device_reserve(device);
    if (error != ESPSEAL_OK) {
        return error;
    }
    if (!espseal_sealed_place(frame, frame_capacity, data, data_bytes)) {
        return ESPSEAL_ERROR_FRAME_TOO_LONG;
    }
    espseal_device_finish(device, ESPSEAL_DATA, bound ? device->beacon : NULL, frame, data_bytes);
    return ESPSEAL_OK;
}
