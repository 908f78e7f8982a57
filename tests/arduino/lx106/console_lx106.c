#include "console.h"

#include "board.h"
#include "record.h"

void say(const char *text)
{
    board_print(text);
}

void say_number(uint32_t number)
{
    board_print_number(number);
}

void give_up(const char *why)
{
    say(why);
    say("\n");
    board_exit(2);
}
