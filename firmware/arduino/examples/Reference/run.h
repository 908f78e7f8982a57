// Run mode: Wi-Fi, MQTT, readings, commands. All that it needs lies on the heap, and only then.
//
// A reading is a JSON object, as {"a0":523,"relay":"off","uptime":60}: what sensor.cpp measures,
// the relay, and the seconds since the start, for it may have waited. If readings had to give way
// to newer ones while the broker was away, "dropped" says how many since the start.
//
// Commands, as text: `on`, `off`, `read`, `interval SECONDS` (until the next start). The library
// acknowledges each; after `on`, `off` and `read` a reading follows.
#pragma once

#include "settings.h"

// `settings` stays valid; what is stored is complete. False: it has said why it cannot run.
bool run_begin(const Settings &settings, const char *version);

// Whether the broker is connected. In loop().
bool run_loop();
