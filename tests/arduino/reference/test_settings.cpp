#include <Arduino.h>

#include <string>

#include "check.hpp"
#include "flash.h"
#include "samples.h"
#include "settings.h"

using S = std::string;

static S text_of(const Settings &settings)
{
    S text(settings.text(nullptr, 0), '\0');
    CHECK(settings.text(text.data(), text.size()) == text.size());
    return text;
}

static bool set(Settings *settings, const char *name, const S &value)
{
    Problem problem = {nullptr, nullptr};
    const bool done = settings->set(name, value.c_str(), &problem);
    CHECK(done == (problem.sentence == nullptr));
    return done;
}

static bool parses(const S &text)
{
    Settings settings;
    const bool done = settings.parse(text.data(), text.size());
    CHECK(text_of(settings) == (done ? text : ""));
    return done;
}

static void values_come_back()
{
    Settings settings;
    CHECK(settings.get("name")[0] == '\0' && !settings.given("name"));
    CHECK(settings.is("interval", "60") && settings.number("interval") == 60);
    CHECK(set(&settings, "name", "kitchen"));
    CHECK(settings.is("name", "kitchen") && settings.given("name"));
    CHECK(set(&settings, "name", "a longer name than before"));
    CHECK(settings.is("name", "a longer name than before"));
    CHECK(set(&settings, "name", "b"));
    CHECK(settings.is("name", "b"));
    CHECK(!set(&settings, "name", "a\nb"));
    CHECK(settings.is("name", "b"));
    CHECK(set(&settings, "name", ""));
    CHECK(!settings.given("name"));
    CHECK(set(&settings, "name", ""));
    CHECK(!set(&settings, "device_key", kKeyA));
    CHECK(!set(&settings, "epoch", "1"));
    CHECK(!set(&settings, "nothing", "1"));
    CHECK(!set(&settings, "", "1"));
    CHECK(settings.get("nothing")[0] == '\0' && !settings.given("nothing"));
    // White space is not the wish to take a certificate away.
    CHECK(set(&settings, "tls_ca", kPem) && settings.is("tls_ca", kCertificate));
    CHECK(!set(&settings, "tls_ca", " \n") && settings.given("tls_ca"));
    CHECK(set(&settings, "tls_ca", "") && !settings.given("tls_ca"));
}

static void the_text_is_in_the_tables_order()
{
    Settings settings;
    CHECK(settings.text(nullptr, 0) == 0);
    set(&settings, "interval", "5");
    set(&settings, "name", "kitchen");
    set(&settings, "mqtt_host", "broker");
    set(&settings, "address", "01:23:45:67:89:AB:CD:EF");
    CHECK(text_of(settings) ==
          "name=kitchen\naddress=0123456789abcdef\nmqtt_host=broker\ninterval=5\n");
    char small[4] = "abc";
    CHECK(settings.text(small, 3) > 3 && strcmp(small, "abc") == 0);
    Settings again;
    const S text = text_of(settings);
    CHECK(again.parse(text.data(), text.size()) && text_of(again) == text);
    CHECK(again.is("mqtt_host", "broker") && again.is("mqtt_port", "1883"));
    Settings copy;
    CHECK(copy.copy(again) && text_of(copy) == text);
    again.clear();
    CHECK(again.text(nullptr, 0) == 0 && text_of(copy) == text);
    CHECK(copy.copy(again) && copy.text(nullptr, 0) == 0);
}

static void initial_values_are_left_out()
{
    Settings settings;
    set(&settings, "interval", "60");
    set(&settings, "transport", "plain");
    set(&settings, "ntp_server", "pool.ntp.org");
    set(&settings, "up_topic", "espseal/{address}/up");
    set(&settings, "mqtt_port", "1883");
    CHECK(text_of(settings).empty());
    // Over TLS the port is another, whichever was given first.
    set(&settings, "transport", "insecure");
    CHECK(text_of(settings) == "mqtt_port=1883\ntransport=insecure\n");
    set(&settings, "mqtt_port", "8883");
    CHECK(text_of(settings) == "transport=insecure\n");
    set(&settings, "mqtt_port", "");
    CHECK(settings.is("mqtt_port", "8883") && settings.tls());
    set(&settings, "mqtt_port", "8883");
    set(&settings, "transport", "plain");
    CHECK(text_of(settings) == "mqtt_port=8883\n" && !settings.tls());
}

static void only_canonical_text_is_read()
{
    CHECK(parses("name=a\n"));
    CHECK(parses("mqtt_port=1883\ntransport=ca\n"));
    CHECK(parses("name==\ninterval=1\n"));
    for (const S &wrong : {S(""),
                           S("\n"),
                           S("name=a"),
                           S("name=\n"),
                           S("name\n"),
                           S("=a\n"),
                           S("nam=a\n"),
                           S("names=a\n"),
                           S("name=a\n\n"),
                           S("name=a\nname=b\n"),
                           S("interval=5\nname=a\n"),
                           S("interval=60\n"),
                           S("mqtt_port=1883\n"),
                           S("mqtt_port=8883\ntransport=ca\n"),
                           S("interval=0\n"),
                           S("name=a\r\n"),
                           S("device_key=") + kKeyA + "\n",
                           S("epoch=1\n"),
                           S("name=a\0b\n", 9),
                           S("\0", 1),
                           S(" name=a\n"),
                           S("address=0123456789ABCDEF\n"),
                           S("tls_ca=") + kPem + "\n",
                           S("name=a\nunknown=b\n"),
                           S("name=") + S(300, 'a') + "\n"}) {
        CHECK(!parses(wrong));
    }
}

// What is read is what would be written, whatever is done to it.
static void mutated_text_is_read_as_it_is_or_not_at_all()
{
    Draft draft;
    CHECK(fill(&draft, kAddressA, kPasswordA, nullptr));
    set(&draft.settings, "tls_ca", kCertificate);
    set(&draft.settings, "transport", "ca");
    const S text = text_of(draft.settings);
    CHECK(parses(text));
    unsigned read = 0;
    for (unsigned turn = 0; turn < 20000; turn++) {
        S other = text;
        for (unsigned changes = 1 + noise() % 3; changes > 0; changes--) {
            const size_t at = noise() % other.size();
            switch (noise() % 4) {
            case 0:
                other[at] = static_cast<char>(noise());
                break;
            case 1:
                other.erase(at, 1 + noise() % 20);
                break;
            case 2:
                other.insert(at, other.substr(noise() % other.size(), noise() % 30));
                break;
            default:
                other[at] = "\n=%{}+0"[noise() % 7];
            }
            other += other.empty() ? "\n" : "";
        }
        read += parses(other);
    }
    CHECK(read > 100 && read < 19000);
}

static void it_fits_into_a_sector()
{
    Settings settings;
    CHECK(set(&settings, "mqtt_password", S(256, 'p')));
    CHECK(set(&settings, "mqtt_user", S(128, 'u')));
    CHECK(set(&settings, "name", S(64, 'n')));
    for (const char *name : {"up_topic", "hello_topic", "down_topic", "beacon_topic"}) {
        CHECK(set(&settings, name, S(128, 't')));
    }
    // A certificate as long as can be: its inside is nobody's affair here.
    const size_t der = 2100;
    S bytes = {
        '\x30', '\x82', static_cast<char>((der - 4) >> 8), static_cast<char>(der - 4), '\x30',
        '\x03', '\x02'};
    bytes.resize(der, 'x');
    S base64;
    for (size_t at = 0; at < der; at += 3) {
        static const char digits[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const uint32_t group = static_cast<uint32_t>(static_cast<uint8_t>(bytes[at])) << 16 |
                               static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + 1])) << 8 |
                               static_cast<uint8_t>(bytes[at + 2]);
        for (int shift = 18; shift >= 0; shift -= 6) {
            base64 += digits[group >> shift & 63];
        }
    }
    CHECK(base64.size() == 2800);
    CHECK(set(&settings, "tls_ca", base64));
    const S before = text_of(settings);
    CHECK(before.size() > 3700 && before.size() < kSettingsBytesMax);
    CHECK(!set(&settings, "tls_public_key", base64));
    CHECK(text_of(settings) == before);
    // The last byte that fits, and one more.
    CHECK(set(&settings, "mqtt_host", S(90, 'h')));
    const size_t left = kSettingsBytesMax - text_of(settings).size();
    CHECK(left < 128 + sizeof "ntp_server=");
    const size_t value = left - (sizeof "ntp_server=\n" - 1);
    CHECK(!set(&settings, "ntp_server", S(value + 1, 's')));
    CHECK(!settings.given("ntp_server"));
    CHECK(set(&settings, "ntp_server", S(value, 's')));
    CHECK(text_of(settings).size() == kSettingsBytesMax);
    CHECK(parses(text_of(settings)));
}

static S missing(const Settings &settings)
{
    const Problem problem = settings.missing();
    CHECK((problem.field == nullptr) == (problem.sentence == nullptr));
    return problem.field == nullptr ? "" : problem.field;
}

static void what_is_missing_is_said()
{
    Draft draft;
    Settings &settings = draft.settings;
    CHECK(missing(settings) == "address");
    set(&settings, "address", kAddressA);
    CHECK(missing(settings) == "beacon_topic");
    set(&settings, "beacon_topic", "espseal/home/beacon");
    CHECK(missing(settings) == "wifi_ssid");
    set(&settings, "wifi_ssid", "house");
    CHECK(missing(settings) == "mqtt_host");
    set(&settings, "mqtt_host", "broker");
    CHECK(missing(settings).empty());
    set(&settings, "mqtt_password", "secret");
    CHECK(missing(settings) == "mqtt_user");
    set(&settings, "mqtt_user", "user");
    CHECK(missing(settings).empty());
}

static void a_fixed_address_is_whole()
{
    Draft draft;
    Settings &settings = draft.settings;
    CHECK(fill(&draft, kAddressA, kPasswordA, nullptr) && missing(settings).empty());
    set(&settings, "ip_address", "192.168.1.20");
    CHECK(missing(settings) == "ip_gateway");
    set(&settings, "ip_gateway", "192.168.1.1");
    CHECK(missing(settings) == "ip_mask");
    set(&settings, "ip_mask", "255.255.255.0");
    CHECK(missing(settings) == "ip_dns");
    set(&settings, "ip_dns", "9.9.9.9");
    CHECK(missing(settings).empty());
    set(&settings, "ip_gateway", "192.168.2.1");
    CHECK(missing(settings) == "ip_gateway");
    set(&settings, "ip_mask", "255.255.252.0");
    CHECK(missing(settings).empty());
    set(&settings, "ip_gateway", "192.168.1.20");
    CHECK(missing(settings) == "ip_gateway");
    set(&settings, "ip_gateway", "192.168.1.1");
    set(&settings, "ip_address", "192.168.0.0");
    CHECK(missing(settings) == "ip_address");
    set(&settings, "ip_address", "192.168.3.255");
    CHECK(missing(settings) == "ip_address");
    set(&settings, "ip_address", "");
    CHECK(missing(settings) == "ip_address");
}

static void each_transport_has_what_it_needs()
{
    Draft draft;
    Settings &settings = draft.settings;
    CHECK(fill(&draft, kAddressA, kPasswordA, nullptr));
    set(&settings, "transport", "insecure");
    CHECK(missing(settings).empty());
    set(&settings, "transport", "fingerprint");
    CHECK(missing(settings) == "tls_fingerprint");
    set(&settings, "tls_fingerprint", S(40, 'a'));
    CHECK(missing(settings).empty());
    set(&settings, "transport", "public_key");
    CHECK(missing(settings) == "tls_public_key");
    set(&settings, "tls_public_key", kPublicKey);
    CHECK(missing(settings).empty());
    set(&settings, "transport", "ca");
    CHECK(missing(settings) == "tls_ca");
    set(&settings, "tls_ca", kCertificate);
    CHECK(missing(settings).empty());
}

static void topics_are_put_together_and_told_apart()
{
    Draft draft;
    Settings &settings = draft.settings;
    static const uint8_t mac[6] = {0x18, 0xfe, 0x34, 0xa2, 0x66, 0x29};
    char topic[kTopicBytesMax + 1];
    CHECK(!settings.topic("beacon_topic", mac, topic, sizeof topic));
    CHECK(fill(&draft, kAddressA, kPasswordA, nullptr));
    CHECK(settings.topic("up_topic", mac, topic, sizeof topic));
    CHECK(strcmp(topic, "espseal/0123456789abcdef/up") == 0);
    set(&settings, "up_topic", "mqtt_tx_{mac}");
    CHECK(settings.topic("up_topic", mac, topic, sizeof topic));
    CHECK(strcmp(topic, "mqtt_tx_18fe34a26629") == 0);
    CHECK(settings.topic("up_topic", mac, topic, sizeof "mqtt_tx_18fe34a26629"));
    CHECK(!settings.topic("up_topic", mac, topic, sizeof "mqtt_tx_18fe34a26629" - 1));
    set(&settings, "up_topic", S(116, 'x') + "{mac}");
    CHECK(settings.topic("up_topic", mac, topic, sizeof topic) && strlen(topic) == 128);
    set(&settings, "down_topic", "espseal/{address}/hello");
    CHECK(missing(settings) == "down_topic");
    set(&settings, "down_topic", S("espseal/") + kAddressA + "/hello");
    CHECK(missing(settings) == "down_topic");
    set(&settings, "down_topic", "espseal/home/beacon");
    CHECK(missing(settings) == "beacon_topic");
    set(&settings, "down_topic", "mqtt_rx_{mac}");
    CHECK(missing(settings).empty());
    set(&settings, "beacon_topic", S(116, 'x') + "{mac}");
    CHECK(missing(settings) == "beacon_topic");
}

const test settings_tests[] = {
    TEST(values_come_back),
    TEST(the_text_is_in_the_tables_order),
    TEST(initial_values_are_left_out),
    TEST(only_canonical_text_is_read),
    TEST(mutated_text_is_read_as_it_is_or_not_at_all),
    TEST(it_fits_into_a_sector),
    TEST(what_is_missing_is_said),
    TEST(a_fixed_address_is_whole),
    TEST(each_transport_has_what_it_needs),
    TEST(topics_are_put_together_and_told_apart),
};
const unsigned settings_test_count = sizeof settings_tests / sizeof settings_tests[0];
