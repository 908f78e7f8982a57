#include <string.h>

#include "bytes.h"
#include "device_internal.h"
#include "hmac.h"

/* E4: epoch, key and ceiling are one record, and the old key is nowhere. By itself, so that its
 * record is off the stack when the keys are made. */
ESPSEAL_NO_INLINE static bool step(espseal_device *device, unsigned steps)
{
    espseal_record record = device->record;
    bool stored;
    record.identity.epoch = (uint16_t)(record.identity.epoch + steps);
    for (; steps > 0; steps--) {
        espseal_derive(record.identity.key, "ratchet", NULL, 0, record.identity.key);
    }
    stored = espseal_store_save(&device->store, &record, true) == ESPSEAL_OK;
    if (stored) {
        device->record = record;
    }
    espseal_wipe(&record, sizeof record);
    return stored;
}

bool espseal_device_ratchet(espseal_device *device, unsigned steps)
{
    if (!step(device, steps)) {
        return false;
    }
    espseal_device_make_keys(device);
    return true;
}
