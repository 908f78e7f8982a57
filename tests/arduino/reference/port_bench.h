// A serial port with a program at its other end.
#pragma once

#include <string>

#include "port.h"

// A new port over what is in flash.
void bench_begin(Mode mode);
// What the board answers to these bytes.
std::string bench_say(const std::string &bytes);
bool bench_restarts();
// Whether configure mode was asked for since bench_begin.
bool bench_configures();
// As a program sends a value.
std::string percent(const std::string &value);
// `save` with the checksum of what was sent: of the canonical text and the key.
std::string save_line(const std::string &text);
