#include "store.h"

#include <string.h>

/* A write begins with the form and ends with the checksum, an erase with either of them. */
static bool is_blank(const espseal_record *record)
{
    return (record->form & record->checksum) == 0xffffffff;
}

static bool read(const espseal_store *store, unsigned sector, unsigned at, espseal_record *record)
{
    const espseal_platform *const platform = store->platform;
    return platform->flash_read(platform->context, sector, at, (uint32_t *)(void *)record,
                                sizeof *record);
}

static bool erase(const espseal_store *store, unsigned sector)
{
    return store->platform->flash_erase(store->platform->context, sector);
}

bool espseal_store_load(espseal_store *store, const espseal_platform *platform)
{
    espseal_record read_back;
    unsigned used[ESPSEAL_FLASH_SECTORS] = {0, 0};
    unsigned sector, at;
    store->platform = platform;
    for (sector = 0; sector < ESPSEAL_FLASH_SECTORS; sector++) {
        for (at = 0; at < ESPSEAL_ROW_BYTES; at += sizeof read_back) {
            if (!read(store, sector, at, &read_back)) {
                return false;
            }
            if (!is_blank(&read_back)) {
                used[sector] = at + sizeof read_back;
                if (espseal_record_finish(&read_back) &&
                    read_back.sequence > store->record.sequence) {
                    store->record = read_back;
                    store->sector = sector;
                }
            }
        }
    }
    store->at = used[store->sector];
    /* What a save did not come to overwrite: an old key may be in it. */
    return used[1 - store->sector] == 0 || erase(store, 1U - store->sector);
}

bool espseal_store_save(espseal_store *store, bool overwrite)
{
    const espseal_platform *const platform = store->platform;
    unsigned sector = store->sector, at = store->at;
    espseal_record read_back;
    store->record.sequence++;
    (void)espseal_record_finish(&store->record);
    if (overwrite || at >= ESPSEAL_ROW_BYTES) {
        sector = 1 - sector;
        at = 0;
        if (!erase(store, sector)) {
            return false;
        }
    } else {
        /* Whatever comes of it, nothing is written there a second time. */
        store->at = at + sizeof read_back;
    }
    if (!platform->flash_write(platform->context, sector, at,
                               (const uint32_t *)(const void *)&store->record, sizeof read_back) ||
        !read(store, sector, at, &read_back) ||
        memcmp(&store->record, &read_back, sizeof read_back) != 0) {
        return false;
    }
    store->at = at + sizeof read_back;
    if (sector == store->sector) {
        return true;
    }
    store->sector = sector;
    return erase(store, 1 - sector);
}
