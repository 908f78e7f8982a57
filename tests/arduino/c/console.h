/* Where tests say what they found; the host and the chip each have their own. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdint.h>

void say(const char *text);
void say_number(uint32_t number);

#endif
