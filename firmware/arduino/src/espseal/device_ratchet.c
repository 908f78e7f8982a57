#include <string.h>

#include "bytes.h"
#include "device_internal.h"
#include "hmac.h"

/* E4: epoch, key and ceiling are one record, and the old key is nowhere. */
espseal_error espseal_device_ratchet(espseal_device *device, uint16_t epoch)
{
    espseal_record record = device->record;
    espseal_error error;
    for (; record.epoch != epoch; record.epoch++) {
        uint8_t key[ESPSEAL_DEVICE_KEY_BYTES];
        espseal_derive(record.key, "ratchet", NULL, 0, key);
        memcpy(record.key, key, sizeof key);
        espseal_wipe(key, sizeof key);
    }
    error = espseal_store_save(&device->store, &record, true);
    if (error == ESPSEAL_OK) {
        device->record = record;
        espseal_device_make_keys(device);
    }
    espseal_wipe(&record, sizeof record);
    return error;
}
