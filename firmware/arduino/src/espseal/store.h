/* What a device must not forget: address, epoch, key and counter ceiling, as one record. Flash has
 * two sectors with a row of records each; the valid one with the highest sequence number counts. A
 * record is written whole, checked, and only then believed, so that a power cut at any byte leaves
 * the one before it or the new one. */
#ifndef ESPSEAL_STORE_H
#define ESPSEAL_STORE_H

#include "config.h"
#include "platform.h"
#include "words.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Magic 0x5e41, version 1, and the length of a record in bytes. */
#define ESPSEAL_RECORD_FORM (0x5e41U | 1U << 16 | (uint32_t)sizeof(espseal_record) << 24)
#define ESPSEAL_ORIGIN_BYTES 8

/* What a device is provisioned with. */
typedef struct {
    uint8_t address[ESPSEAL_ADDRESS_BYTES];
    uint8_t key[ESPSEAL_DEVICE_KEY_BYTES]; /* the device key of the epoch */
    uint16_t epoch;
} espseal_identity;

/* The bytes in flash and in RTC memory, little-endian as the chip is. */
typedef struct {
    uint32_t form; /* magic, version, length */
    uint8_t mode;
    uint8_t welcomed;          /* RTC: whether the host had lifted the counter */
    espseal_identity identity; /* of now; the key in RTC memory is zeros */
    uint64_t counter;          /* flash: the last one reserved; RTC: the next one to use */
    uint8_t origin[ESPSEAL_ORIGIN_BYTES]; /* tells a key that was provisioned anew */
    uint32_t sequence;                    /* from 1 */
    uint32_t checksum;                    /* CRC-32 of the rest, never 0; written last */
} espseal_record;

#define ESPSEAL_RECORD_BYTES sizeof(espseal_record)
#define ESPSEAL_SLOTS (ESPSEAL_FLASH_SECTOR_BYTES / ESPSEAL_RECORD_BYTES)
#define ESPSEAL_ROW_BYTES (ESPSEAL_SLOTS * ESPSEAL_RECORD_BYTES)

typedef struct {
    const espseal_platform *platform;
    unsigned sector; /* that holds the newest record */
    unsigned at;     /* where the next one goes in it */
    espseal_record record;
} espseal_store;

/* Fills in form and checksum; whether they were there already: what was read is valid then. */
bool espseal_record_finish(espseal_record *record);

/* Reads the newest record into a store that is all zeros; its sequence stays 0 if there is none.
 * Overwrites what an interrupted save has left behind. False: flash fails. */
ESPSEAL_MUST_USE bool espseal_store_load(espseal_store *store, const espseal_platform *platform);

/* Writes the record with the next sequence number. `overwrite`: no older one stays readable, in
 * either sector. False: flash fails; the record may have been stored all the same. */
ESPSEAL_MUST_USE bool espseal_store_save(espseal_store *store, bool overwrite);

#ifdef __cplusplus
}
#endif
#endif
