#include "check.h"

#include <string.h>

#include "console.h"

static unsigned broken;

void check_that(bool condition, const char *text, const char *file, unsigned line)
{
    if (!condition) {
        const char *const slash = strrchr(file, '/');
        broken++;
        say("  ");
        say(slash == NULL ? file : slash + 1);
        say(":");
        say_number(line);
        say(": not so: ");
        say(text);
        say("\n");
    }
}

unsigned run_tests(const test *tests, unsigned count)
{
    unsigned failed = 0, at;
    for (at = 0; at < count; at++) {
        broken = 0;
        tests[at].run();
        say(broken == 0 ? "ok " : "FAILED ");
        say(tests[at].name);
        say("\n");
        failed += broken != 0;
    }
    return failed;
}
