#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "provision.h"

bool Draft::set(const char *name, const char *value, Problem *problem)
{
    const Field *const field = field_of(name);
    if (field == nullptr || field->kept) {
        return settings.set(name, value, problem);
    }
    *problem = {field->name, value[0] == '\0' ? nullptr : field_problem(*field, value)};
    if (problem->sentence != nullptr) {
        return false;
    }
    if (strcmp(name, "device_key") == 0) {
        has_key_ = value[0] != '\0' && hex_decode(value, key_, sizeof key_);
    } else {
        has_epoch_ = value[0] != '\0';
        epoch_ = static_cast<uint16_t>(strtoul(value, nullptr, 10));
    }
    return true;
}

bool Draft::checksum(uint32_t *sum) const
{
    const size_t length = settings.text(nullptr, 0);
    char *const text = static_cast<char *>(malloc(length + 1));
    if (text == nullptr) {
        return false;
    }
    settings.text(text, length);
    *sum = crc32_of(text, length);
    wipe(text, length);
    free(text);
    if (has_key_) {
        char line[11 + 64 + 1 + 6 + 5 + 1 + 1] = "device_key=";
        hex_encode(key_, sizeof key_, line + 11);
        snprintf_P(line + 75, sizeof line - 75, PSTR("\nepoch=%u\n"), epoch_);
        *sum = crc32_of(line, strlen(line), *sum);
        wipe(line, sizeof line);
    }
    return true;
}

bool Draft::commit(Problem *problem)
{
    if (has_epoch_ && !has_key_) {
        *problem = {"device_key", F("An epoch is one of a key: give both, or neither.")};
        return false;
    }
    espseal_identity identity = {};
    if (has_key_) {
        (void)hex_decode(settings.get("address"), identity.address, sizeof identity.address);
        memcpy(identity.key, key_, sizeof key_);
        identity.epoch = epoch_;
    }
    const bool done = provision_commit(settings, has_key_ ? &identity : nullptr, problem);
    wipe(&identity, sizeof identity);
    return done;
}

void Draft::clear()
{
    settings.clear();
    wipe(key_, sizeof key_);
    has_key_ = has_epoch_ = false;
    epoch_ = 0;
}
