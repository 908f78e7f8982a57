/* Reads test vectors: records of "key: value" lines, blank lines between them (tests/vectors). */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FIELDS_MAX = 24 };

typedef struct {
    const char *text;
    size_t count;
} words;

typedef struct {
    struct {
        words key, value;
        bool used;
    } fields[FIELDS_MAX];
    size_t count;
} record;

/* The next record of a text, which it moves on; false at its end. */
bool next_record(words *text, record *next);

/* A field's value; one that is not there ends the test. */
words text_of(record *from, const char *key);
bool has(record *from, const char *key);
/* The same as bytes, decoded from hex; valid until the next record. */
words bytes_of(record *from, const char *key);
uint64_t number_of(record *from, const char *key);
uint64_t counter_of(record *from, const char *key);

bool same(words a, const char *text);
bool equal(words a, const void *bytes, size_t count);

/* The next of a list of words that single spaces separate; false at its end. */
bool next_word(words *list, words *word);

/* Room for bytes until the next record. */
uint8_t *room(size_t count);

/* A field that no test asked for would be a rule that is not tested. */
bool all_used(const record *of);

/* Something is wrong with the vectors, or the runner: says so and ends the run. */
void give_up(const char *why) __attribute__((noreturn));

#endif
