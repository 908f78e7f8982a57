#include "vectors.h"

#include <string.h>

#include "console.h"

static const struct {
    const char *file;
    check *run;
} files[] = {
    {"classic_seal", check_classic_seal},
    {"classic_open", check_classic_open},
    {"classic_reject", check_classic_reject},
    {"session", check_session},
    {"sealed_seal", check_sealed_seal},
    {"sealed_open", check_sealed_open},
    {"sealed_reject", check_sealed_reject},
    {"sealed_keys", check_sealed_keys},
    {"sealed_detect", check_sealed_detect},
    {"sealed_control", check_sealed_control},
    {"sealed_head", check_sealed_head},
    {"sealed_device", check_sealed_device},
    {"aes_siv", check_aes_siv},
    {"aes_siv_wycheproof", check_aes_siv},
};

static void say_words(words text)
{
    char copy[80];
    size_t count = text.count < sizeof copy - 1 ? text.count : sizeof copy - 1;
    memcpy(copy, text.text, count);
    copy[count] = '\0';
    say(copy);
}

words long_bytes_of(record *from, const char *field)
{
    char key[40];
    words bytes = {"", 0};
    uint8_t *to;
    size_t repeat;
    if (has(from, field)) {
        bytes = bytes_of(from, field);
    }
    strcpy(key, field);
    strcat(key, "_repeat");
    if (!has(from, key)) {
        if (!has(from, field)) {
            return bytes_of(from, field);
        }
        return bytes;
    }
    repeat = (size_t)number_of(from, key);
    strcpy(key, field);
    strcat(key, "_byte");
    to = room(bytes.count + repeat);
    memcpy(to, bytes.text, bytes.count);
    memset(to + bytes.count, bytes_of(from, key).text[0], repeat);
    bytes.text = (const char *)to;
    bytes.count += repeat;
    return bytes;
}

tally run_vectors(const char *file, words text)
{
    tally counts = {0, 0, 0};
    const char *reasons[8];
    unsigned counted[8], reason_count = 0, each;
    check *run = NULL;
    record each_record;
    size_t at;
    for (at = 0; at < sizeof files / sizeof files[0]; at++) {
        if (strcmp(files[at].file, file) == 0) {
            run = files[at].run;
        }
    }
    if (run == NULL) {
        give_up("a file of vectors that this runner does not know");
    }
    while (next_record(&text, &each_record)) {
        const words name = text_of(&each_record, "name");
        const char *reason = NULL, *wrong;
        if (has(&each_record, "about")) {
            (void)text_of(&each_record, "about");
        }
        wrong = run(&each_record, &reason);
        if (reason != NULL) {
            counts.out_of_reach++;
            for (each = 0; each < reason_count && strcmp(reasons[each], reason) != 0; each++) {
            }
            if (each == reason_count) {
                reasons[reason_count] = reason;
                counted[reason_count++] = 0;
            }
            counted[each]++;
            continue;
        }
        counts.executed++;
        if (wrong == NULL && !all_used(&each_record)) {
            wrong = "see before";
        }
        if (wrong != NULL) {
            counts.failed++;
            say("FAILED ");
            say_words(name);
            say(": ");
            say(wrong);
            say("\n");
        }
    }
    for (each = 0; each < reason_count; each++) {
        say("out of reach ");
        say_number(counted[each]);
        say(": ");
        say(reasons[each]);
        say("\n");
    }
    say(file);
    say(": executed ");
    say_number(counts.executed);
    say(" failed ");
    say_number(counts.failed);
    say(" out of reach ");
    say_number(counts.out_of_reach);
    say("\n");
    return counts;
}
