#include <string.h>

#include "device_internal.h"

espseal_error espseal_device_sleep(espseal_device *device)
{
    const espseal_platform *const platform = device->store.platform;
    espseal_record *const record = &device->store.record;
    const espseal_error error = espseal_device_reserve(device);
    if (error != ESPSEAL_OK) {
        return error;
    }
    /* D2. From here on the counter belongs to the next wake, whatever comes of the write. */
    device->begun = false;
    device->asleep = true;
    record->counter = device->next;
    record->welcomed = (uint8_t)device->welcomed;
    memset(record->identity.key, 0, sizeof record->identity.key);
    (void)espseal_record_finish(record);
    /* The checksum is the last word: until it is written the old one is there, which is 0. */
    return platform->rtc_write(platform->context, ESPSEAL_RTC_FIRST_WORD,
                               (const uint32_t *)(const void *)record, sizeof *record)
               ? ESPSEAL_OK
               : ESPSEAL_ERROR_STORE_FAILED;
}
