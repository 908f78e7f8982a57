#include <string.h>

#include "bytes.h"
#include "device_internal.h"
#include "sealed_parts.h"

/* D1: no counter is used before flash says that it may have been. */
espseal_error espseal_device_reserve(espseal_device *device)
{
    espseal_record *const record = &device->store.record;
    const uint64_t before = record->counter, next = device->next;
    if (!device->begun) {
        return device->asleep ? ESPSEAL_ERROR_ASLEEP : ESPSEAL_ERROR_NOT_BEGUN;
    }
    if (next == 0) {
        return ESPSEAL_ERROR_COUNTER_EXHAUSTED;
    }
    if (next > before) {
        record->counter = next | (ESPSEAL_COUNTERS_RESERVED - 1);
        if (!espseal_store_save(&device->store, false)) {
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
    espseal_store_be(frame + 2, device->store.record.identity.epoch, 2);
    memcpy(frame + 4, device->store.record.identity.address, ESPSEAL_ADDRESS_BYTES);
    espseal_store_be(frame + 12, device->next++, 8);
    espseal_sealed_bind(&device->uplink, session);
    espseal_seal_in_place(&device->uplink, frame, data_bytes);
}

espseal_error espseal_device_seal(espseal_device *device, const void *data, size_t data_bytes,
                                  uint8_t *frame, size_t frame_capacity)
{
    /* H3: a host without this device's window could not take an unbound one. */
    const uint8_t *const session = !device->welcomed && device->heard_beacon &&
                                           device->now - device->beacon_at < ESPSEAL_BEACON_FRESH_MS
                                       ? device->beacon
                                       : NULL;
    espseal_error error = espseal_device_reserve(device);
    if (error == ESPSEAL_OK && !espseal_place(frame, frame_capacity, data, data_bytes)) {
        error = ESPSEAL_ERROR_FRAME_TOO_LONG;
    }
    if (error != ESPSEAL_OK) {
        /* The data may have been in it already. */
        espseal_wipe(frame, frame_capacity);
        return error;
    }
    espseal_device_finish(device, ESPSEAL_DATA, session, frame, data_bytes);
    return ESPSEAL_OK;
}
