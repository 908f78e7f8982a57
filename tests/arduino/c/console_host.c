#include <stdio.h>

#include "console.h"

void say(const char *text)
{
    fputs(text, stdout);
}

void say_number(uint32_t number)
{
    printf("%u", (unsigned)number);
}
