#include <string.h>

#include "bytes.h"
#include "device_internal.h"
#include "hmac.h"

void espseal_device_make_keys(espseal_device *device)
{
    espseal_sealed_keys_init(&device->uplink, device->record.identity.key, false);
    espseal_sealed_keys_init(&device->downlink, device->record.identity.key, true);
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
        espseal_record_valid(&left) && left.sequence == device->record.sequence &&
        memcmp(left.origin, device->record.origin, sizeof left.origin) == 0) {
        device->next = left.counter;
        device->welcomed = left.welcomed;
    }
}

espseal_error espseal_device_begin(espseal_device *device, const espseal_platform *platform,
                                   const espseal_identity *identity)
{
    espseal_record *const record = &device->record;
    espseal_error error;

    memset(device, 0, sizeof *device);
    device->newest = device->sessions;
    error = espseal_store_load(&device->store, platform, record);
    if (error != ESPSEAL_OK) {
        return error;
    }
    if (identity != NULL) {
        uint8_t origin[32];
        espseal_derive(identity->key, "origin", identity->address, ESPSEAL_ADDRESS_BYTES, origin);
        if (memcmp(record->origin, origin, sizeof record->origin) != 0) {
            /* A key that was provisioned anew. The counter goes on. */
            memcpy(record->origin, origin, sizeof record->origin);
            record->identity = *identity;
            error = espseal_store_save(&device->store, record, true);
            if (error != ESPSEAL_OK) {
                return error;
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
