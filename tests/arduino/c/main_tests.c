/* The tests of the devices, on the host. */
#include "tests.h"

int main(void)
{
    return run_tests(device_tests, device_test_count) +
               run_tests(classic_tests, classic_test_count) !=
           0;
}
