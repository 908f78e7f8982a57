// The tests of the reference sketch's parts.
#include "check.hpp"

int main()
{
    return run_tests(field_tests, field_test_count) +
               run_tests(settings_tests, settings_test_count) +
               run_tests(provision_tests, provision_test_count) +
               run_tests(port_tests, port_test_count) + run_tests(word_tests, word_test_count) +
               run_tests(led_tests, led_test_count) !=
           0;
}
