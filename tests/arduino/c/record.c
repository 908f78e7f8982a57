#include "record.h"

#include <string.h>

#include "console.h"

static uint8_t arena[1 << 18];
static size_t taken;

uint8_t *room(size_t count)
{
    uint8_t *const at = arena + taken;
    if (count > sizeof arena - taken) {
        give_up("a record is too long for the runner");
    }
    taken += count;
    return at;
}

static words line_of(words *text)
{
    words line = {text->text, 0};
    while (line.count < text->count && line.text[line.count] != '\n') {
        line.count++;
    }
    text->text += line.count;
    text->count -= line.count;
    if (text->count > 0) {
        text->text++;
        text->count--;
    }
    return line;
}

bool next_record(words *text, record *next)
{
    taken = 0;
    next->count = 0;
    while (text->count > 0) {
        const words line = line_of(text);
        const char *colon;
        if (line.count == 0) {
            if (next->count > 0) {
                return true;
            }
            continue;
        }
        if (line.text[0] == '#') {
            continue;
        }
        colon = memchr(line.text, ':', line.count);
        if (colon == NULL || next->count == FIELDS_MAX) {
            give_up("no vector");
        }
        next->fields[next->count].key.text = line.text;
        next->fields[next->count].key.count = (size_t)(colon - line.text);
        colon += colon + 1 < line.text + line.count ? 2 : 1;
        next->fields[next->count].value.text = colon;
        next->fields[next->count].value.count = (size_t)(line.text + line.count - colon);
        next->fields[next->count++].used = false;
    }
    return next->count > 0;
}

bool same(words a, const char *text)
{
    return equal(a, text, strlen(text));
}

bool equal(words a, const void *bytes, size_t count)
{
    return a.count == count && (count == 0 || memcmp(a.text, bytes, count) == 0);
}

bool has(record *from, const char *key)
{
    size_t at;
    for (at = 0; at < from->count; at++) {
        if (same(from->fields[at].key, key)) {
            return true;
        }
    }
    return false;
}

words text_of(record *from, const char *key)
{
    size_t at;
    for (at = 0; at < from->count; at++) {
        if (same(from->fields[at].key, key)) {
            from->fields[at].used = true;
            return from->fields[at].value;
        }
    }
    say(key);
    give_up(": a vector lacks this field");
}

static uint8_t digit(char character)
{
    static const char digits[] = "0123456789abcdef";
    const char *const at = memchr(digits, character, 16);
    if (at == NULL) {
        give_up("bytes are lower-case hex");
    }
    return (uint8_t)(at - digits);
}

words bytes_of(record *from, const char *key)
{
    const words hex = text_of(from, key);
    words bytes;
    uint8_t *const to = room(hex.count / 2);
    size_t at;
    for (at = 0; at + 1 < hex.count; at += 2) {
        to[at / 2] = (uint8_t)(digit(hex.text[at]) << 4 | digit(hex.text[at + 1]));
    }
    bytes.text = (const char *)to;
    bytes.count = hex.count / 2;
    return bytes;
}

uint64_t number_of(record *from, const char *key)
{
    const words decimal = text_of(from, key);
    uint64_t number = 0;
    size_t at;
    for (at = 0; at < decimal.count; at++) {
        number = number * 10 + (uint64_t)(decimal.text[at] - '0');
    }
    return number;
}

uint64_t counter_of(record *from, const char *key)
{
    const words bytes = bytes_of(from, key);
    uint64_t counter = 0;
    size_t at;
    for (at = 0; at < bytes.count; at++) {
        counter = counter << 8 | (uint8_t)bytes.text[at];
    }
    return counter;
}

bool next_word(words *list, words *word)
{
    const char *space;
    if (list->count == 0) {
        return false;
    }
    space = memchr(list->text, ' ', list->count);
    *word = *list;
    if (space == NULL) {
        list->count = 0;
    } else {
        word->count = (size_t)(space - list->text);
        list->text += word->count + 1;
        list->count -= word->count + 1;
    }
    return true;
}

bool all_used(const record *of)
{
    size_t at;
    for (at = 0; at < of->count; at++) {
        if (!of->fields[at].used) {
            say("unknown field, or one without use: ");
            return false;
        }
    }
    return true;
}
