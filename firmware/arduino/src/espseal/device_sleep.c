#include <string.h>

#include "device_internal.h"

espseal_error espseal_device_sleep(espseal_device *device)
{
    const espseal_platform *const platform = device->store.platform;
    espseal_record left = device->record;
    if (!device->begun) {
        return ESPSEAL_ERROR_NOT_BEGUN;
    }
    if (device->asleep) {
        return ESPSEAL_ERROR_ASLEEP;
    }
    /* D2. From here on the counter belongs to the next wake, whatever comes of the write. */
    device->asleep = true;
    left.counter = device->next;
    left.welcomed = device->welcomed;
    memset(left.identity.key, 0, sizeof left.identity.key);
    espseal_record_finish(&left);
    /* The checksum is the last word: until it is written the old one is there, which is 0. */
    return platform->rtc_write(platform->context, ESPSEAL_RTC_FIRST_WORD,
                               (const uint32_t *)(const void *)&left, sizeof left)
               ? ESPSEAL_OK
               : ESPSEAL_ERROR_STORE_FAILED;
}
