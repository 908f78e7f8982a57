#include "store.h"

#include <string.h>

static bool is_blank(const espseal_record *record)
{
    const uint8_t *at = (const uint8_t *)record;
    size_t left = sizeof *record;
    while (left > 0 && *at++ == 0xff) {
        left--;
    }
    return left == 0;
}

static bool read(const espseal_store *store, unsigned sector, unsigned slot, espseal_record *record)
{
    const espseal_platform *const platform = store->platform;
    return platform->flash_read(platform->context, sector, slot * sizeof *record,
                                (uint32_t *)(void *)record, sizeof *record);
}

static bool erase(const espseal_store *store, unsigned sector)
{
    return store->platform->flash_erase(store->platform->context, sector);
}

espseal_error espseal_store_load(espseal_store *store, const espseal_platform *platform,
                                 espseal_record *record)
{
    espseal_record read_back;
    uint8_t used[ESPSEAL_FLASH_SECTORS] = {0, 0};
    unsigned sector, slot;
    store->platform = platform;
    store->slot = ESPSEAL_SLOTS;
    record->sequence = 0;
    for (sector = 0; sector < ESPSEAL_FLASH_SECTORS; sector++) {
        for (slot = 0; slot < ESPSEAL_SLOTS; slot++) {
            if (!read(store, sector, slot, &read_back)) {
                return ESPSEAL_ERROR_STORE_FAILED;
            }
            if (!is_blank(&read_back)) {
                used[sector] = (uint8_t)(slot + 1);
                if (espseal_record_valid(&read_back) && read_back.sequence > record->sequence) {
                    *record = read_back;
                    store->sector = (uint8_t)sector;
                }
            }
        }
    }
    if (record->sequence != 0) {
        store->slot = used[store->sector];
        /* What a save did not come to overwrite: an old key may be in it. */
        if (used[1 - store->sector] != 0 && !erase(store, 1U - store->sector)) {
            return ESPSEAL_ERROR_STORE_FAILED;
        }
    }
    return ESPSEAL_OK;
}

espseal_error espseal_store_save(espseal_store *store, espseal_record *record, bool overwrite)
{
    const espseal_platform *const platform = store->platform;
    const unsigned old = store->sector;
    unsigned sector = old, slot = store->slot;
    espseal_record read_back;
    record->sequence++;
    espseal_record_finish(record);
    if (slot >= ESPSEAL_SLOTS) {
        overwrite = true;
    }
    if (overwrite) {
        sector = 1 - old;
        slot = 0;
        if (!erase(store, sector)) {
            return ESPSEAL_ERROR_STORE_FAILED;
        }
    } else {
        /* Whatever comes of it, nothing is written there a second time. */
        store->slot++;
    }
    if (!platform->flash_write(platform->context, sector, slot * sizeof *record,
                               (const uint32_t *)(const void *)record, sizeof *record) ||
        !read(store, sector, slot, &read_back) || memcmp(record, &read_back, sizeof *record) != 0) {
        return ESPSEAL_ERROR_STORE_FAILED;
    }
    store->sector = (uint8_t)sector;
    store->slot = (uint8_t)(slot + 1);
    return overwrite && !erase(store, old) ? ESPSEAL_ERROR_STORE_FAILED : ESPSEAL_OK;
}
