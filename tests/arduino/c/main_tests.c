/* The tests of the device, on the host. */
#include "tests.h"

int main(void)
{
    return run_tests(device_tests, device_test_count) != 0;
}
