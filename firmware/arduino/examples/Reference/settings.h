// The settings in RAM, on the heap, as long as they are. Their stored form is `name=value\n` for
// each that is given and is not the initial value, in the order of the table: the canonical text.
#pragma once

#include "fields.h"

// What is wrong with which field; sentence == nullptr: nothing. `field` is a name of kFields, or
// "settings" for what concerns them together.
struct Problem {
    const char *field;
    Sentence sentence;
};

// The longest canonical text: what a sector of flash has room for after its header.
constexpr size_t kSettingsBytesMax = 4096 - 16;
// The longest topic after {mac} and {address} are put in.
constexpr size_t kTopicBytesMax = 128;

class Settings
{
  public:
    Settings() = default;
    ~Settings() { clear(); }
    Settings(const Settings &) = delete;
    Settings &operator=(const Settings &) = delete;

    // Checks and takes a value, in canonical form (field_tidy); "" takes it away. False, and
    // nothing has changed: `problem` says why. Not for device_key and epoch (provision.h: Draft).
    bool set(const char *name, const char *value, Problem *problem);

    // The value, the initial one if none is given, "" if there is none; never nullptr. It is valid
    // until the next change. Secrets too: do not show them.
    const char *get(const char *name) const;
    uint32_t number(const char *name) const;
    bool is(const char *name, const char *value) const { return strcmp(get(name), value) == 0; }
    bool given(const char *name) const;
    bool tls() const { return !is("transport", "plain"); }

    // What run mode still needs: the first problem, also of fields that do not fit together.
    Problem missing() const;

    // A topic with {mac} (12 lower-case hex digits) and {address} put in; NUL at its end. False:
    // there is none, or no room.
    bool topic(const char *name, const uint8_t mac[6], char *out, size_t capacity) const;

    // The canonical text. Its length, at most kSettingsBytesMax; written, without a NUL, if
    // `capacity` is not less.
    size_t text(char *out, size_t capacity) const;

    // The reverse. False, and empty: it is no canonical text.
    bool parse(const char *text, size_t length);

    // False: no memory; nothing has changed.
    bool copy(const Settings &other);
    // Overwrites and frees.
    void clear();

  private:
    // For each value, in the table's order: the field's number + 1, the value, NUL.
    char *bytes_ = nullptr;
    size_t used_ = 0;

    const char *find(size_t field) const;
    const char *value(size_t field) const;
    bool is_initial(size_t field, const char *value) const;
    bool replace(size_t field, const char *value);
};
