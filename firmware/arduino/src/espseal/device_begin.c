#include <string.h>

#include "bytes.h"
#include "device_internal.h"
#include "hmac.h"

void espseal_device_make_keys(espseal_device *device)
{
    espseal_sealed_keys_init(&device->uplink, device->store.record.identity.key, false);
    espseal_sealed_keys_init(&device->downlink, device->store.record.identity.key, true);
}

/* D2. What deep sleep left, once: it is invalid before anything is sealed. */
static void wake(espseal_device *device)
{
    const espseal_platform *const platform = device->store.platform;
    const uint32_t invalid = 0;
    espseal_record left;
    /* One word is written: there is no half of it. */
    if (platform->rtc_read(platform->context, ESPSEAL_RTC_FIRST_WORD, (uint32_t *)(void *)&left,
                           sizeof left) &&
        platform->rtc_write(platform->context,
                            ESPSEAL_RTC_FIRST_WORD + offsetof(espseal_record, checksum) / 4,
                            &invalid, sizeof invalid) &&
        espseal_record_finish(&left) && left.sequence == device->store.record.sequence) {
        device->next = left.counter;
        device->welcomed = left.welcomed;
    }
}

espseal_error espseal_device_begin(espseal_device *device, const espseal_platform *platform,
                                   const espseal_identity *identity)
{
    espseal_record *const record = &device->store.record;
    memset(device, 0, sizeof *device);
    device->newest = device->sessions;
    if (!espseal_store_load(&device->store, platform)) {
        return ESPSEAL_ERROR_STORE_FAILED;
    }
    if (identity != NULL) {
        uint8_t origin[32];
        espseal_derive(identity->key, "origin\1", 7, origin);
        espseal_xor(origin, identity->address, ESPSEAL_ADDRESS_BYTES);
        if (memcmp(record->origin, origin, sizeof record->origin) != 0) {
            /* A key that was provisioned anew. The counter goes on. */
            memcpy(record->origin, origin, sizeof record->origin);
            record->identity = *identity;
            if (!espseal_store_save(&device->store, true)) {
                return ESPSEAL_ERROR_STORE_FAILED;
            }
        }
    } else if (record->sequence == 0) {
        return ESPSEAL_ERROR_NO_IDENTITY;
    }
    /* D1 */
    device->next = record->counter + 1;
    wake(device);
    espseal_device_make_keys(device);
    device->begun = true;
    (void)espseal_device_hello_due(device);
    device->began_at = device->asked_at = device->now;
    return ESPSEAL_OK;
}
