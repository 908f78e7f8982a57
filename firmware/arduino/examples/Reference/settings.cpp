#include "settings.h"

#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "codec.h"

static size_t number_of(const char *name)
{
    const Field *const field = field_of(name);
    const size_t number = field == nullptr ? kFieldCount : static_cast<size_t>(field - kFields);
    return number < kKeptFieldCount ? number : kFieldCount;
}

// The next value, or the end of them.
static const char *after(const char *at)
{
    return at + 1 + strlen(at + 1) + 1;
}

static size_t field_at(const char *at)
{
    return static_cast<size_t>(*at) - 1;
}

const char *Settings::find(size_t field) const
{
    for (const char *at = bytes_; at < bytes_ + used_; at = after(at)) {
        if (field_at(at) == field) {
            return at + 1;
        }
    }
    return nullptr;
}

const char *Settings::value(size_t field) const
{
    const char *const found = find(field);
    if (found != nullptr) {
        return found;
    }
    return strcmp(kFields[field].name, "mqtt_port") == 0 && tls() ? "8883" : kFields[field].initial;
}

bool Settings::is_initial(size_t field, const char *value) const
{
    const bool port = strcmp(kFields[field].name, "mqtt_port") == 0;
    return strcmp(value, port && tls() ? "8883" : kFields[field].initial) == 0;
}

const char *Settings::get(const char *name) const
{
    const size_t field = number_of(name);
    return field == kFieldCount ? "" : value(field);
}

uint32_t Settings::number(const char *name) const
{
    return static_cast<uint32_t>(strtoul(get(name), nullptr, 10));
}

bool Settings::given(const char *name) const
{
    const size_t field = number_of(name);
    return field != kFieldCount && find(field) != nullptr;
}

bool Settings::set(const char *name, const char *value, Problem *problem)
{
    const size_t field = number_of(name);
    if (field == kFieldCount) {
        *problem = {"settings", F("There is no setting of that name: look at the list in the "
                                  "README.")};
        return false;
    }
    const size_t bytes = strlen(value) + 1;
    char *const tidy = static_cast<char *>(malloc(bytes));
    *problem = {kFields[field].name, nullptr};
    if (tidy == nullptr) {
        problem->sentence = F("There is not memory enough: restart the board and try again.");
        return false;
    }
    memcpy(tidy, value, bytes);
    field_tidy(kFields[field], tidy);
    // What only had white space in it says nothing, and is not the wish for nothing.
    if (tidy[0] != '\0' || bytes > 1) {
        problem->sentence = field_problem(kFields[field], tidy);
    }
    if (problem->sentence == nullptr && !replace(field, tidy)) {
        problem->sentence = F("There is no room for it: shorten it or another, or restart the "
                              "board and try again.");
    }
    wipe(tidy, bytes);
    free(tidy);
    return problem->sentence == nullptr;
}

bool Settings::replace(size_t field, const char *value)
{
    const char *at = bytes_;
    while (at < bytes_ + used_ && field_at(at) < field) {
        at = after(at);
    }
    const char *rest = at < bytes_ + used_ && field_at(at) == field ? after(at) : at;
    const size_t before = static_cast<size_t>(at - bytes_);
    const size_t behind = used_ - static_cast<size_t>(rest - bytes_);
    const size_t own = value[0] == '\0' ? 0 : strlen(value) + 2;
    Settings changed;
    if (before + own + behind > 0) {
        changed.bytes_ = static_cast<char *>(malloc(before + own + behind));
        if (changed.bytes_ == nullptr) {
            return false;
        }
        changed.used_ = before + own + behind;
        char *const to = changed.bytes_;
        memcpy(to, before > 0 ? bytes_ : "", before);
        if (own > 0) {
            to[before] = static_cast<char>(field + 1);
            memcpy(to + before + 1, value, own - 1);
        }
        memcpy(to + before + own, behind > 0 ? rest : "", behind);
    }
    if (changed.text(nullptr, 0) > kSettingsBytesMax) {
        return false;
    }
    char *const old_bytes = bytes_;
    const size_t old_used = used_;
    bytes_ = changed.bytes_;
    used_ = changed.used_;
    changed.bytes_ = old_bytes;
    changed.used_ = old_used;
    return true;
}

size_t Settings::text(char *out, size_t capacity) const
{
    size_t length = 0;
    for (int pass = 0; pass < 2; pass++) {
        char *to = out;
        for (const char *at = bytes_; at < bytes_ + used_; at = after(at)) {
            const char *const name = kFields[field_at(at)].name;
            const size_t name_bytes = strlen(name), bytes = strlen(at + 1);
            if (is_initial(field_at(at), at + 1)) {
                continue;
            }
            if (pass == 0) {
                length += name_bytes + 1 + bytes + 1;
                continue;
            }
            memcpy(to, name, name_bytes);
            to += name_bytes;
            *to++ = '=';
            memcpy(to, at + 1, bytes);
            to += bytes;
            *to++ = '\n';
        }
        if (length > capacity) {
            break;
        }
    }
    return length;
}

bool Settings::parse(const char *text, size_t length)
{
    clear();
    if (length == 0 || length > kSettingsBytesMax || memchr(text, 0, length) != nullptr) {
        return false;
    }
    // A name and "=" are never shorter than a field's number.
    bytes_ = static_cast<char *>(malloc(length));
    const char *const end = text + length;
    size_t next = 0;
    while (bytes_ != nullptr && text < end) {
        const char *const line_end =
            static_cast<const char *>(memchr(text, '\n', static_cast<size_t>(end - text)));
        size_t field = next;
        size_t name_bytes = 0;
        for (; line_end != nullptr && field < kKeptFieldCount; field++) {
            name_bytes = strlen(kFields[field].name);
            if (static_cast<size_t>(line_end - text) > name_bytes + 1 &&
                memcmp(text, kFields[field].name, name_bytes) == 0 && text[name_bytes] == '=') {
                break;
            }
        }
        if (line_end == nullptr || field == kKeptFieldCount) {
            break;
        }
        const char *const value = text + name_bytes + 1;
        const size_t bytes = static_cast<size_t>(line_end - value);
        char *const to = bytes_ + used_;
        to[0] = static_cast<char>(field + 1);
        memcpy(to + 1, value, bytes);
        to[1 + bytes] = '\0';
        used_ += bytes + 2;
        if (field_problem(kFields[field], to + 1) != nullptr) {
            break;
        }
        next = field + 1;
        text = line_end + 1;
    }
    // One value has one text: no initial value is in it.
    if (text < end || this->text(nullptr, 0) != length) {
        clear();
        return false;
    }
    return true;
}

bool Settings::copy(const Settings &other)
{
    char *const bytes = other.used_ == 0 ? nullptr : static_cast<char *>(malloc(other.used_));
    if (other.used_ > 0) {
        if (bytes == nullptr) {
            return false;
        }
        memcpy(bytes, other.bytes_, other.used_);
    }
    const size_t used = other.used_;
    clear();
    bytes_ = bytes;
    used_ = used;
    return true;
}

void Settings::clear()
{
    wipe(bytes_, used_);
    free(bytes_);
    bytes_ = nullptr;
    used_ = 0;
}

bool Settings::topic(const char *name, const uint8_t mac[6], char *out, size_t capacity) const
{
    char mac_digits[13];
    hex_encode(mac, 6, mac_digits);
    size_t used = 0;
    const char *at = get(name);
    if (*at == '\0') {
        return false;
    }
    while (*at != '\0') {
        char own[2] = {*at, '\0'};
        const char *piece = own;
        if (strncmp(at, "{mac}", 5) == 0) {
            piece = mac_digits;
            at += 5;
        } else if (strncmp(at, "{address}", 9) == 0) {
            piece = get("address");
            at += 9;
        } else {
            at++;
        }
        const size_t bytes = strlen(piece);
        if (used + bytes >= capacity) {
            return false;
        }
        memcpy(out + used, piece, bytes);
        used += bytes;
    }
    out[used] = '\0';
    return true;
}
