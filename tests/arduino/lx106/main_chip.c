/* Every shared vector, and the tests of the device, on the chip's instruction set. */
#include "board.h"
#include "console.h"
#include "tests.h"
#include "vectors.h"

/* Made out of tests/vectors at test time. */
typedef struct {
    const char *file;
    const char *text, *end;
} input;
extern const input inputs[];

int main(void)
{
    unsigned failed = 0;
    const input *each;
    for (each = inputs; each->file != NULL; each++) {
        const words text = {each->text, (size_t)(each->end - each->text)};
        const tally counts = run_vectors(each->file, text);
        failed += counts.failed + (counts.executed == 0);
    }
    failed += run_tests(device_tests, device_test_count);
    failed += run_tests(classic_tests, classic_test_count);
    board_exit(failed != 0);
}
