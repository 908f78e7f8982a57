// What the board does, for whoever looks at its LED.
#pragma once

#include <stdint.h>

enum class Led : uint8_t {
    kUnprovisioned, // two short flashes, again and again: it waits for you
    kSafe,          // quick flicker: it keeps starting badly, and has stopped
    kConfigure,     // half a second on, half a second off: the access point is open
    kConnecting,    // one short flash a second
    kConnected,     // one short flash every three seconds
};

// Whether it is lit at a time, in ms.
bool led_is_lit(Led led, uint32_t now);

void led_begin();

// In loop(), as often as can be; it never waits.
void led_show(Led led);
