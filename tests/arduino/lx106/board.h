/* What there is in place of a board: a console, a clock that counts instructions, a painted stack.
 */
#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

void board_print(const char *text);
void board_print_number(uint32_t number);
void board_exit(int code) __attribute__((noreturn));

/* Advances by 1 every 25 instructions, the same on every run. */
uint32_t board_ccount(void);

/* Paints the stack below the caller, and says how many bytes of it were written since. */
void board_paint(void);
uint32_t board_painted_over(void);

#endif
