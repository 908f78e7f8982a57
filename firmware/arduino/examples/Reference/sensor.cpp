#include "sensor.h"

#include <Arduino.h>

void sensor_begin() {}

size_t sensor_read(char *text, size_t capacity)
{
    // 0 to 1023: 0 to 1 V at the chip's pin, 0 to 3.3 V at A0 of a NodeMCU or a D1 mini.
    const int length = snprintf_P(text, capacity, PSTR("\"a0\":%d"), analogRead(A0));
    return length > 0 && static_cast<size_t>(length) < capacity ? static_cast<size_t>(length) : 0;
}
