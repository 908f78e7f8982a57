// What a value must look like, by itself: the parts of field_problem.
#pragma once

#include "fields.h"

// UTF-8 without control characters; how many characters it has.
bool is_text(const char *value);
size_t characters(const char *value);

// Exactly so many hex digits in lower case.
bool is_hex(const char *value, size_t digits);
// Decimal, without a sign and without zeros before it.
bool is_number(const char *value, uint32_t least, uint32_t most);
// Four numbers with dots. False: it is none.
bool ipv4_parse(const char *value, uint32_t *number);

// nullptr: nothing is wrong.
Sentence address_problem(const char *value);
Sentence device_key_problem(const char *value);
Sentence wifi_password_problem(const char *value);
Sentence host_problem(const char *value);
Sentence topic_problem(const char *value);
Sentence ipv4_problem(const char *value);
Sentence mask_problem(const char *value);
// DER in base64: a certificate (RFC 5280), a SubjectPublicKeyInfo.
Sentence certificate_problem(const char *value);
Sentence public_key_problem(const char *value);
