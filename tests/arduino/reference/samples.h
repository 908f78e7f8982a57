// What the tests put into settings.
#pragma once

#include "provision.h"

constexpr char kAddressA[] = "0123456789abcdef";
constexpr char kAddressB[] = "fedcba9876543210";
constexpr char kKeyA[] = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1";
constexpr char kKeyB[] = "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2";
constexpr char kPasswordA[] = "first Wi-Fi password";
constexpr char kPasswordB[] = "second Wi-Fi password";
// Real ones, of a key on P-256.
extern const char kCertificate[];
extern const char kPublicKey[];
extern const char kPem[];

// Everything that run mode needs. `key` may be null.
bool fill(Draft *draft, const char *address, const char *password, const char *key);
