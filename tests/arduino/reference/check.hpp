// The C tests' checks, for C++.
#pragma once

extern "C" {
#include "check.h"
}

#define TEST(name)  \
    {               \
#name, name \
    }

extern const test field_tests[];
extern const unsigned field_test_count;
extern const test settings_tests[];
extern const unsigned settings_test_count;
extern const test provision_tests[];
extern const unsigned provision_test_count;
extern const test port_tests[];
extern const unsigned port_test_count;
extern const test word_tests[];
extern const unsigned word_test_count;
extern const test led_tests[];
extern const unsigned led_test_count;
