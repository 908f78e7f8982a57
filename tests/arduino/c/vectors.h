/* Checks every record of a file of shared vectors. Prints a line for each that is wrong, one with
 * each reason for which records are out of a device's reach, and a last one with the counts. */
#ifndef VECTORS_H
#define VECTORS_H

#include "record.h"

/* Counts of a file. */
typedef struct {
    unsigned executed, failed, out_of_reach;
} tally;

tally run_vectors(const char *file, words text);

/* What one record came to: NULL if it is as it should be, else what it was instead. Sets `reason`
 * if it cannot be executed here. */
typedef const char *check(record *from, const char **reason);
check check_classic_seal, check_classic_open, check_classic_reject, check_session;
check check_sealed_seal, check_sealed_open, check_sealed_reject, check_sealed_keys;
check check_sealed_detect, check_sealed_control, check_sealed_head, check_sealed_device;
check check_aes_siv;

/* "frame", or the fields that stand for a long one. */
words long_bytes_of(record *from, const char *field);

#endif
