#include <string.h>

#include "bytes.h"
#include "device_internal.h"
#include "hmac.h"

/* E4: epoch, key and ceiling are one record, and the old key is nowhere. */
bool espseal_device_ratchet(espseal_device *device, unsigned steps)
{
    espseal_identity *const identity = &device->store.record.identity;
    struct {
        espseal_identity before;
        uint8_t key[ESPSEAL_DEVICE_KEY_BYTES];
    } of;
    bool stored;
    of.before = *identity;
    identity->epoch = (uint16_t)(identity->epoch + steps);
    for (; steps > 0; steps--) {
        espseal_derive(identity->key, "ratchet\1", 8, of.key);
        memcpy(identity->key, of.key, sizeof of.key);
    }
    stored = espseal_store_save(&device->store, true);
    if (!stored) {
        *identity = of.before;
    }
    espseal_wipe(&of, sizeof of);
    return stored;
}
