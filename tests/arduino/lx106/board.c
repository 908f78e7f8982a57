#include "board.h"

#include <string.h>

int board_call(int number, int a3, int a4, int a5);
char *board_sp(void);

enum { CALL_EXIT = 1, CALL_WRITE = 4, PAINT = 0xa5, PAINTED_BYTES = 8192, SPARE = 64 };

static char *painted_from;

void board_print(const char *text)
{
    board_call(CALL_WRITE, 1, (int)text, (int)strlen(text));
}

void board_print_number(uint32_t number)
{
    char digits[11];
    char *at = digits + sizeof digits - 1;
    *at = '\0';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    board_print(at);
}

void board_exit(int code)
{
    board_call(CALL_EXIT, code, 0, 0);
    for (;;) {
    }
}

/* memset's own frame lies below its caller's, so the paint ends a little lower. */
__attribute__((noinline)) void board_paint(void)
{
    painted_from = board_sp() - SPARE;
    memset(painted_from - PAINTED_BYTES, PAINT, PAINTED_BYTES);
}

__attribute__((noinline)) uint32_t board_painted_over(void)
{
    const char *at = painted_from - PAINTED_BYTES;
    while (at < painted_from && *at == (char)PAINT) {
        at++;
    }
    return (uint32_t)(painted_from - at) + SPARE;
}

/* The chip has these in its ROM, and Debian's libgcc for it has none. */
static uint32_t divide(uint32_t dividend, uint32_t divisor, uint32_t *rest)
{
    uint32_t quotient = 0, remainder = 0;
    int bit;
    for (bit = 31; bit >= 0; bit--) {
        remainder = remainder << 1 | (dividend >> bit & 1);
        if (remainder >= divisor) {
            remainder -= divisor;
            quotient |= (uint32_t)1 << bit;
        }
    }
    *rest = remainder;
    return quotient;
}

uint32_t __udivsi3(uint32_t dividend, uint32_t divisor);
uint32_t __udivsi3(uint32_t dividend, uint32_t divisor)
{
    uint32_t rest;
    return divide(dividend, divisor, &rest);
}

uint32_t __umodsi3(uint32_t dividend, uint32_t divisor);
uint32_t __umodsi3(uint32_t dividend, uint32_t divisor)
{
    uint32_t rest;
    divide(dividend, divisor, &rest);
    return rest;
}

int32_t __divsi3(int32_t dividend, int32_t divisor);
int32_t __divsi3(int32_t dividend, int32_t divisor)
{
    uint32_t rest;
    uint32_t quotient = divide(dividend < 0 ? 0U - (uint32_t)dividend : (uint32_t)dividend,
                               divisor < 0 ? 0U - (uint32_t)divisor : (uint32_t)divisor, &rest);
    return (int32_t)((dividend < 0) != (divisor < 0) ? 0U - quotient : quotient);
}

uint64_t __muldi3(uint64_t a, uint64_t b);
uint64_t __muldi3(uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    for (; b > 0; b >>= 1, a <<= 1) {
        product += b & 1 ? a : 0;
    }
    return product;
}
