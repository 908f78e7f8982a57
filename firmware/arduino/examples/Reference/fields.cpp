#include "fields.h"

#include <string.h>

#include "checks.h"

const Field kFields[] = {
    {"name", Kind::kText, true, 256, ""},
    {"address", Kind::kAddress, true, 16, ""},
    {"up_topic", Kind::kTopic, true, 128, "espseal/{address}/up"},
    {"hello_topic", Kind::kTopic, true, 128, "espseal/{address}/hello"},
    {"down_topic", Kind::kTopic, true, 128, "espseal/{address}/down"},
    {"beacon_topic", Kind::kTopic, true, 128, ""},
    {"wifi_ssid", Kind::kText, true, 32, ""},
    {"wifi_password", Kind::kSecret, true, 64, ""},
    {"ip_address", Kind::kIpv4, true, 15, ""},
    {"ip_gateway", Kind::kIpv4, true, 15, ""},
    {"ip_mask", Kind::kIpv4, true, 15, ""},
    {"ip_dns", Kind::kIpv4, true, 15, ""},
    {"mqtt_host", Kind::kText, true, 128, ""},
    {"mqtt_port", Kind::kNumber, true, 5, "1883"},
    {"mqtt_user", Kind::kText, true, 128, ""},
    {"mqtt_password", Kind::kSecret, true, 256, ""},
    {"transport", Kind::kChoice, true, 11, "plain"},
    {"tls_fingerprint", Kind::kHex, true, 40, ""},
    {"tls_public_key", Kind::kBase64, true, 800, ""},
    {"tls_ca", Kind::kBase64, true, 2800, ""},
    {"ntp_server", Kind::kText, true, 128, "pool.ntp.org"},
    {"interval", Kind::kNumber, true, 5, "60"},
    {"device_key", Kind::kSecret, false, 64, ""},
    {"epoch", Kind::kNumber, false, 5, "0"},
};
static_assert(sizeof kFields / sizeof kFields[0] == kFieldCount, "the table is whole");

const Field *field_of(const char *name)
{
    for (const Field &field : kFields) {
        if (strcmp(field.name, name) == 0) {
            return &field;
        }
    }
    return nullptr;
}

const char *field_choice(size_t at)
{
    static const char *const words[] = {"plain", "fingerprint", "public_key", "ca", "insecure"};
    return at < sizeof words / sizeof words[0] ? words[at] : nullptr;
}

static bool is(const Field &field, const char *name)
{
    return strcmp(field.name, name) == 0;
}

uint32_t field_least(const Field &field)
{
    return is(field, "epoch") ? 0 : 1;
}

uint32_t field_most(const Field &field)
{
    return is(field, "interval") ? 86400 : 65535;
}

static Sentence secret_problem(const Field &field, const char *value)
{
    if (is(field, "device_key")) {
        return device_key_problem(value);
    }
    return is(field, "wifi_password") ? wifi_password_problem(value) : nullptr;
}

static Sentence text_problem(const Field &field, const char *value)
{
    if (is(field, "name") && characters(value) > 64) {
        return F("A name has at most 64 characters: shorten it.");
    }
    return is(field, "mqtt_host") || is(field, "ntp_server") ? host_problem(value) : nullptr;
}

static Sentence choice_problem(const char *value)
{
    for (size_t at = 0; field_choice(at) != nullptr; at++) {
        if (strcmp(field_choice(at), value) == 0) {
            return nullptr;
        }
    }
    return F("Take plain, fingerprint, public_key, ca or insecure.");
}

static Sentence number_problem(const Field &field, const char *value)
{
    if (is_number(value, field_least(field), field_most(field))) {
        return nullptr;
    }
    return is(field, "interval") ? F("Give whole seconds, from 1 to 86400.")
           : is(field, "epoch")  ? F("Give a number from 0 to 65535, as the host has it.")
                                 : F("Give a number from 1 to 65535.");
}

Sentence field_problem(const Field &field, const char *value)
{
    // Before the length: a PEM file with two certificates is too long because of that.
    if (field.kind == Kind::kBase64) {
        return is(field, "tls_ca") ? certificate_problem(value) : public_key_problem(value);
    }
    if (!is_text(value)) {
        return F("Line ends, tabs and other control characters, and what is not UTF-8, cannot be "
                 "in it: take them out.");
    }
    switch (field.kind) {
    case Kind::kAddress:
        return address_problem(value);
    case Kind::kHex:
        return is_hex(value, 40)
                   ? nullptr
                   : F("Give the 40 hex digits of the certificate's SHA-1 fingerprint.");
    case Kind::kNumber:
        return number_problem(field, value);
    case Kind::kChoice:
        return choice_problem(value);
    case Kind::kIpv4:
        return is(field, "ip_mask") ? mask_problem(value) : ipv4_problem(value);
    case Kind::kTopic:
        return topic_problem(value);
    default:
        break;
    }
    if (strlen(value) > field.longest) {
        return is(field, "wifi_ssid") ? F("The name of a Wi-Fi has at most 32 bytes: check it.")
                                      : F("It is too long: shorten it.");
    }
    return field.kind == Kind::kSecret ? secret_problem(field, value) : text_problem(field, value);
}

// Between the first lines that begin and end a PEM block, if there is one block alone.
static void take_out_of_pem(char *value)
{
    static const char begin[] = "-----BEGIN ", end[] = "-----END ";
    char *const first = strstr(value, begin);
    if (first == nullptr || strstr(first + 1, begin) != nullptr) {
        return;
    }
    char *const from = strstr(first + sizeof begin - 1, "-----");
    char *const to = from == nullptr ? nullptr : strstr(from + 5, end);
    if (to != nullptr) {
        const size_t count = static_cast<size_t>(to - from) - 5;
        memmove(value, from + 5, count);
        value[count] = '\0';
    }
}

void field_tidy(const Field &field, char *value)
{
    const bool hex = field.kind == Kind::kHex || field.kind == Kind::kAddress;
    if (!hex && field.kind != Kind::kBase64) {
        return;
    }
    const char *const dropped = hex ? ": -" : " \t\r\n";
    if (!hex) {
        take_out_of_pem(value);
    }
    char *to = value;
    for (const char *from = value; *from != '\0'; from++) {
        if (strchr(dropped, *from) == nullptr) {
            *to++ = hex && *from >= 'A' && *from <= 'F' ? static_cast<char>(*from | 0x20) : *from;
        }
    }
    *to = '\0';
}
