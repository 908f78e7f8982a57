// What the settings lack together.
#include <string.h>

#include "checks.h"
#include "settings.h"

static const char *const kNeeded[] = {"address", "beacon_topic", "wifi_ssid", "mqtt_host"};

static Sentence why_needed(size_t at)
{
    switch (at) {
    case 0:
        return F("Give the device's address, as `espseal device list` shows it.");
    case 1:
        return F("Give the beacon topic of the fleet: espseal/FLEET/beacon.");
    case 2:
        return F("Give the name of the Wi-Fi that the board is to join.");
    default:
        return F("Give the name or the address of the MQTT broker.");
    }
}

static Problem ip_problem(const Settings &settings)
{
    static const char *const names[] = {"ip_address", "ip_gateway", "ip_mask", "ip_dns"};
    bool any = false;
    for (const char *name : names) {
        any = any || settings.given(name);
    }
    for (const char *name : names) {
        if (any && !settings.given(name)) {
            return {name, F("A fixed address needs all four: address, gateway, mask and DNS. Leave "
                            "all of them empty for DHCP.")};
        }
    }
    uint32_t address = 0, gateway = 0, mask = 0;
    if (!any || !ipv4_parse(settings.get("ip_address"), &address) ||
        !ipv4_parse(settings.get("ip_gateway"), &gateway) ||
        !ipv4_parse(settings.get("ip_mask"), &mask)) {
        return {nullptr, nullptr};
    }
    if ((address & ~mask) == 0 || (address & ~mask) == ~mask) {
        return {"ip_address", F("That is the network's own address or everybody's: take another "
                                "last number.")};
    }
    if ((address & mask) != (gateway & mask) || address == gateway) {
        return {"ip_gateway", F("The gateway is another machine of the same network: check both "
                                "addresses and the mask.")};
    }
    return {nullptr, nullptr};
}

static bool same_topic(const Settings &settings, const char *one, const char *other)
{
    static const uint8_t mac[6] = {};
    char first[kTopicBytesMax + 1], second[kTopicBytesMax + 1];
    return settings.topic(one, mac, first, sizeof first) &&
           settings.topic(other, mac, second, sizeof second) && strcmp(first, second) == 0;
}

// What the board publishes must not come back to it, and a command is no beacon.
static Problem topics_problem(const Settings &settings)
{
    static const char *const heard[] = {"down_topic", "beacon_topic"};
    static const char *const said[] = {"up_topic", "hello_topic"};
    for (const char *name : heard) {
        for (const char *own : said) {
            if (same_topic(settings, name, own)) {
                return {name, F("The board listens there, and publishes on the same topic: take "
                                "another one.")};
            }
        }
    }
    if (same_topic(settings, heard[0], heard[1])) {
        return {heard[1], F("Commands come on that topic already: the beacon needs another one.")};
    }
    return {nullptr, nullptr};
}

static Problem transport_problem(const Settings &settings)
{
    if (settings.is("transport", "fingerprint") && !settings.given("tls_fingerprint")) {
        return {"tls_fingerprint", F("This transport needs the SHA-1 fingerprint of the broker's "
                                     "certificate.")};
    }
    if (settings.is("transport", "public_key") && !settings.given("tls_public_key")) {
        return {"tls_public_key", F("This transport needs the public key of the broker's "
                                    "certificate.")};
    }
    if (settings.is("transport", "ca") && !settings.given("tls_ca")) {
        return {"tls_ca", F("This transport needs the certificate of the CA that signed the "
                            "broker's.")};
    }
    return {nullptr, nullptr};
}

Problem Settings::missing() const
{
    for (size_t at = 0; at < sizeof kNeeded / sizeof kNeeded[0]; at++) {
        if (!given(kNeeded[at])) {
            return {kNeeded[at], why_needed(at)};
        }
    }
    if (given("mqtt_password") && !given("mqtt_user")) {
        return {"mqtt_user", F("A password needs a user: give both, or neither.")};
    }
    static Problem (*const looks[])(const Settings &) = {ip_problem, topics_problem,
                                                         transport_problem};
    for (Problem (*look)(const Settings &) : looks) {
        const Problem problem = look(*this);
        if (problem.sentence != nullptr) {
            return problem;
        }
    }
    return {nullptr, nullptr};
}
