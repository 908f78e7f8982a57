#include <string>

#include "check.hpp"
#include "led.h"

// What somebody sees in so many seconds, from a time on: a character each 100 ms.
static std::string seen(Led led, uint32_t seconds, uint32_t from = 0)
{
    std::string steps;
    for (uint32_t step = 0; step < 10 * seconds; step++) {
        steps += led_is_lit(led, from + 100 * step + 99) ? '#' : '.';
    }
    return steps;
}

static std::string times(const std::string &pattern, unsigned count)
{
    std::string all;
    for (; count > 0; count--) {
        all += pattern;
    }
    return all;
}

static void each_state_has_its_pattern()
{
    CHECK(seen(Led::kUnprovisioned, 8) == times("#.#.............", 5));
    CHECK(seen(Led::kSafe, 2) == times("#.", 10));
    CHECK(seen(Led::kConfigure, 3) == times("#####.....", 3));
    CHECK(seen(Led::kConnecting, 3) == times("#.........", 3));
    CHECK(seen(Led::kConnected, 6) == times("#.............................", 2));
}

// After 49 days the clock begins anew: the pattern goes on, whatever it jumps to.
static void the_clock_wraps_around()
{
    for (Led led :
         {Led::kUnprovisioned, Led::kSafe, Led::kConfigure, Led::kConnecting, Led::kConnected}) {
        const std::string steps = seen(led, 20, 0xffffffffU - 10000);
        CHECK(steps.find('#') != std::string::npos && steps.find('.') != std::string::npos);
    }
}

const test led_tests[] = {
    TEST(each_state_has_its_pattern),
    TEST(the_clock_wraps_around),
};
const unsigned led_test_count = sizeof led_tests / sizeof led_tests[0];
