#include "led.h"

#include <Arduino.h>

namespace
{

constexpr uint32_t kStepMs = 100;

// One bit for each step, the first one lowest: on or off.
struct Pattern {
    uint32_t steps;
    uint8_t count;
};

Pattern pattern_of(Led led)
{
    switch (led) {
    case Led::kUnprovisioned:
        return {0b101, 16};
    case Led::kSafe:
        return {0b01, 2};
    case Led::kConfigure:
        return {0b0000011111, 10};
    case Led::kConnecting:
        return {0b1, 10};
    case Led::kConnected:
        return {0b1, 30};
    }
    return {0, 1};
}

bool lit = false;

void light(bool on)
{
    lit = on;
    // The LED is on when its pin is low.
    digitalWrite(LED_BUILTIN, on ? LOW : HIGH);
}

} // namespace

bool led_is_lit(Led led, uint32_t now)
{
    const Pattern pattern = pattern_of(led);
    return (pattern.steps >> (now / kStepMs % pattern.count) & 1) != 0;
}

void led_begin()
{
    pinMode(LED_BUILTIN, OUTPUT);
    light(false);
}

void led_show(Led led)
{
    const bool on = led_is_lit(led, static_cast<uint32_t>(millis()));
    if (on != lit) {
        light(on);
    }
}
