/* vectors FILE.txt...: checks them; exit code 0 if all are right, and each file was executed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "vectors.h"

void give_up(const char *why)
{
    say(why);
    say("\n");
    exit(2);
}

static words read_file(const char *path)
{
    words text = {NULL, 0};
    FILE *const file = fopen(path, "rb");
    char *bytes;
    long size;
    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 ||
        fseek(file, 0, SEEK_SET) != 0 || (bytes = malloc((size_t)size + 1)) == NULL) {
        give_up("no such file");
    }
    text.count = fread(bytes, 1, (size_t)size, file);
    text.text = bytes;
    fclose(file);
    return text;
}

int main(int count, char **paths)
{
    int at, failed = 0;
    for (at = 1; at < count; at++) {
        const char *const slash = strrchr(paths[at], '/');
        char name[64];
        const words text = read_file(paths[at]);
        tally counts;
        snprintf(name, sizeof name, "%s", slash == NULL ? paths[at] : slash + 1);
        *strchr(name, '.') = '\0';
        counts = run_vectors(name, text);
        failed |= counts.failed != 0 || counts.executed == 0;
        free((char *)text.text);
    }
    return failed;
}
