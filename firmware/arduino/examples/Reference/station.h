// Wi-Fi of run mode. It is tried for ever: losing it opens no access point, so that nobody who
// jams it gets one.
#pragma once

#include "settings.h"

// `settings` stays valid.
void station_begin(const Settings &settings);

// Whether there is Wi-Fi now. In loop().
bool station_loop();
