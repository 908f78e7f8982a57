// What the board measures: the file to change for another sensor.
#pragma once

#include <stddef.h>

// Once, in setup() of run mode.
void sensor_begin();

// Writes what is measured now as fields of a JSON object, without its braces. How long it is; 0:
// there is nothing to say.
size_t sensor_read(char *text, size_t capacity);
