// The settings of the reference sketch: one table, from which the file, the page, the serial port
// and the flash take their words, their order and their checks.
#pragma once

#include <Arduino.h>

// Text in flash: for Serial.print, String, or the functions that end in _P. Never for %s.
using Sentence = const __FlashStringHelper *;

// What an input looks like.
enum class Kind : uint8_t {
    kText,
    kTopic,   // of MQTT, without wildcards; {mac} and {address} are put in by the board
    kAddress, // 16 hex digits
    kNumber,
    kChoice, // one word of field_choice
    kIpv4,
    kHex,
    kBase64,
    kSecret, // is written, never read back
};

struct Field {
    const char *name; // as in the provisioning file
    Kind kind;
    bool kept;           // false: device_key and epoch, which the library keeps in its own record
    uint16_t longest;    // bytes of a value
    const char *initial; // what holds if nothing is given; "": nothing. mqtt_port: 8883 over TLS
    bool secret() const { return kind == Kind::kSecret; }
};

// In the order of the stored text; the last two are not kept.
extern const Field kFields[];
constexpr size_t kFieldCount = 24;
constexpr size_t kKeptFieldCount = 22;

// nullptr: there is none of that name.
const Field *field_of(const char *name);

// The words of `transport`; nullptr after the last.
const char *field_choice(size_t at);

// Least and greatest value of a kNumber.
uint32_t field_least(const Field &field);
uint32_t field_most(const Field &field);

// What is wrong with a value that is not "", in a sentence that says what to do and does not have
// the value in it; nullptr: nothing. It judges the canonical form, as Settings::set makes it.
Sentence field_problem(const Field &field, const char *value);

// Makes the canonical form in place: hex without colons and spaces, in lower case; base64 without
// white space and the lines around it in a PEM file. The checks of the page may be stricter, none
// may be looser.
void field_tidy(const Field &field, char *value);
