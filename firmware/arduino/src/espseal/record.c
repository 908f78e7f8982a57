#include "store.h"

/* CRC-32 (IEEE 802.3). Its seed is not zero, and 0 is none of its values: memory that was erased,
 * to ones or to zeros, never passes. */
static uint32_t checksum_of(const espseal_record *record)
{
    const uint8_t *at = (const uint8_t *)record;
    const uint8_t *const end = (const uint8_t *)&record->checksum;
    uint32_t sum = 0xffffffff;
    while (at < end) {
        int bit;
        sum ^= *at++;
        for (bit = 0; bit < 8; bit++) {
            sum = sum >> 1 ^ (0xedb88320 & (0U - (sum & 1)));
        }
    }
    return sum == 0 ? 1 : sum;
}

bool espseal_record_finish(espseal_record *record)
{
    const uint32_t form = record->form, checksum = record->checksum;
    record->form = ESPSEAL_RECORD_FORM;
    record->checksum = checksum_of(record);
    return form == record->form && checksum == record->checksum;
}
