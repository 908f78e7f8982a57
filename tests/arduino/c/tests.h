/* The tables of tests. */
#ifndef TESTS_H
#define TESTS_H

#include "check.h"

extern const test device_tests[];
extern const unsigned device_test_count;
extern const test classic_tests[];
extern const unsigned classic_test_count;

#endif
