// The library's C++ face wants the C++ library; what its C core offers is enough here.
#pragma once

#include <espseal/device.h>

const espseal_platform &espseal_esp8266();
