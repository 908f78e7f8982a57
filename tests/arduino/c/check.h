/* Tests in C: each is a function, named in a table; a failed check says where, and the next runs.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

typedef struct {
    const char *name;
    void (*run)(void);
} test;

/* Prints "ok NAME" or "FAILED NAME" for each; how many failed. */
unsigned run_tests(const test *tests, unsigned count);

#define CHECK(condition) check_that((condition), #condition, __FILE__, __LINE__)

void check_that(bool condition, const char *text, const char *file, unsigned line);

#endif
