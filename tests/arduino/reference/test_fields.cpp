#include <Arduino.h>

#include <string>

#include "check.hpp"
#include "codec.h"
#include "fields.h"
#include "samples.h"

static void numbers_are_read_as_they_are_written()
{
    uint8_t bytes[8];
    char text[17];
    CHECK(hex_decode("00ff7F80", bytes, 4) && bytes[1] == 0xff && bytes[2] == 0x7f);
    hex_encode(bytes, 4, text);
    CHECK(strcmp(text, "00ff7f80") == 0);
    for (const char *wrong :
         {"", "0", "00ff7f8", "00ff7f800", "00ff7f8g", "00ff 7f8", "0x00ff7f"}) {
        CHECK(!hex_decode(wrong, bytes, 4));
    }
    // RFC 4648, section 10.
    CHECK(base64_decode("Zg==", bytes, 8) == 1 && bytes[0] == 'f');
    CHECK(base64_decode("Zm8=", bytes, 8) == 2 && memcmp(bytes, "fo", 2) == 0);
    CHECK(base64_decode("Zm9vYmE=", bytes, 8) == 5 && memcmp(bytes, "fooba", 5) == 0);
    CHECK(base64_decode("Zm9vYmFy", bytes, 8) == 6 && memcmp(bytes, "foobar", 6) == 0);
    memset(bytes, 0, sizeof bytes);
    CHECK(base64_decode("Zm9vYmFy", bytes, 5) == 6 && bytes[0] == 0);
    for (const char *wrong : {"", "Z", "Zg", "Zg=", "Zg=a", "Z===", "====", "Zm9v=mFy",
                              "Zh==", "Zm9=", "Zm9v\n", "Zm-v", "Zm_v", "Zm9vZg==Zm9v"}) {
        CHECK(base64_decode(wrong, bytes, 8) == 0);
    }
    CHECK(crc32_of("123456789", 9) == 0xcbf43926);
    CHECK(crc32_of("6789", 4, crc32_of("12345", 5)) == 0xcbf43926);
    char percent[] = "a%20b%C3%a4%25%";
    CHECK(!percent_decode(percent));
    char fine[] = "a%20b%C3%a4%25";
    CHECK(percent_decode(fine) && strcmp(fine, "a b\xc3\xa4%") == 0);
    for (const char *wrong : {"%", "%4", "%00", "a%0", "%zz", "%4z"}) {
        std::string copy = wrong;
        CHECK(!percent_decode(copy.data()));
    }
}

// Whether it is taken; if not, whether the sentence is one, and keeps the value to itself.
static bool takes(const char *name, const std::string &value)
{
    const Field *const field = field_of(name);
    const Sentence sentence = field_problem(*field, value.c_str());
    if (sentence == nullptr) {
        return true;
    }
    const std::string text = reinterpret_cast<const char *>(sentence);
    CHECK(text.size() > 20 && text.size() < 120);
    CHECK(text.back() == '.' && text.find('\n') == std::string::npos);
    CHECK(text[0] >= 'A' && text[0] <= 'Z');
    CHECK(value.size() < 12 || text.find(value) == std::string::npos);
    return false;
}

#define TAKES(name, ...)                             \
    for (const std::string &value : {__VA_ARGS__}) { \
        CHECK(takes(name, value));                   \
    }
#define REFUSES(name, ...)                           \
    for (const std::string &value : {__VA_ARGS__}) { \
        CHECK(!takes(name, value));                  \
    }

static std::string many(size_t count, char character = 'x')
{
    return std::string(count, character);
}
using S = std::string;

static void text_is_utf_8_without_control_characters()
{
    TAKES("name", S("kitchen"),
          S("K\xc3\xbc"
            "che \xe2\x82\xac \xf0\x9f\x98\x80"),
          many(64), S(" "));
    REFUSES("name", many(65), S("a\tb"), S("a\nb"), S("\x7f"), S("\x1f"), S("\xc2\x80"),
            S("\xc2\x9f"), S("\xff"), S("\xc3"), S("\xc3("), S("\xe2\x82"), S("\xc0\x80"),
            S("\xe0\x80\x80"), S("\xed\xa0\x80"), S("\xf4\x90\x80\x80"), S("\xf0\x80\x80\x80"),
            S("\xf8\x88\x80\x80\x80"), S("\x80"));
    TAKES("name", S("\xc2\xa0"), S("\xed\x9f\xbf"), S("\xee\x80\x80"), S("\xf4\x8f\xbf\xbf"));
    // 64 characters of 4 bytes.
    S longest;
    for (int count = 0; count < 64; count++) {
        longest += "\xf0\x9f\x98\x80";
    }
    TAKES("name", longest);
    TAKES("mqtt_user", many(128));
    REFUSES("mqtt_user", many(129), S("a\rb"));
    TAKES("mqtt_password", many(256), S("p"));
    REFUSES("mqtt_password", many(257), S("secret\nsecret"));
}

static void addresses_and_keys()
{
    TAKES("address", S(kAddressA));
    REFUSES("address", S("0123456789abcde"), S("0123456789abcdef0"), S("0123456789ABCDEF"),
            S("0123456789abcdeg"), many(16, '0'));
    TAKES("device_key", S(kKeyA), S("A1") + S(kKeyA + 2));
    REFUSES("device_key", S(kKeyA) + "0", S(kKeyA + 1), S(kKeyA + 1) + "g", many(64, '0'));
    TAKES("epoch", S("0"), S("65535"), S("7"));
    REFUSES("epoch", S("65536"), S("-1"), S("1.0"), S("07"), S("0x7"), S("99999999999999999999"));
}

static void wifi_and_mqtt()
{
    TAKES("wifi_ssid", many(32), S("x"), S("caf\xc3\xa9"));
    REFUSES("wifi_ssid", many(33));
    TAKES("wifi_password", many(8), many(63), many(64, 'a'), many(64, '0'));
    REFUSES("wifi_password", many(7), many(64), many(65, 'a'));
    TAKES("mqtt_host", S("broker"), S("mqtt.example.org"), S("192.168.1.2"), S("a_b-c"), S("8x"));
    REFUSES("mqtt_host", S("mqtt://broker"), S("broker:1883"), S("a b"), S("192.168.1"),
            S("192.168.1.256"), S("1.2.3.4.5"), S(".a"), S("-a"), S("a..b"),
            S("m\xc3\xbcll.example"), many(129), S("::1"));
    TAKES("mqtt_port", S("1"), S("1883"), S("65535"));
    REFUSES("mqtt_port", S("0"), S("65536"), S("01883"), S("+1883"), S("1883 "), S("12a"));
    TAKES("interval", S("1"), S("86400"));
    REFUSES("interval", S("0"), S("86401"), S("1.5"), S("4294967356"));
    TAKES("ntp_server", S("pool.ntp.org"));
    REFUSES("ntp_server", S("ntp://x"));
}

static void topics()
{
    TAKES("up_topic", S("a"), many(128), S("mqtt_tx_{mac}"), S("espseal/{address}/up"), S("/"),
          many(112) + "{address}", many(116) + "{mac}");
    REFUSES("up_topic", many(129), S("a/+/b"), S("#"), S("{MAC}"), S("{"), S("a}"), S("{mac"),
            many(113) + "{address}", many(117) + "{mac}", S("a\nb"));
}

static void ip_addresses()
{
    TAKES("ip_address", S("192.168.1.20"), S("10.0.0.1"), S("1.0.0.0"));
    REFUSES("ip_address", S("192.168.1"), S("192.168.1.300"), S("192.168.01.1"), S("0.1.2.3"),
            S("127.0.0.1"), S("224.0.0.1"), S("255.255.255.255"), S("1.2.3.4 "), S("1.2.3.4."),
            S("a.b.c.d"), S("1..2.3"), S("1.2.3.1000"));
    TAKES("ip_mask", S("255.255.255.0"), S("255.0.0.0"), S("255.255.255.252"), S("255.255.254.0"));
    REFUSES("ip_mask", S("0.0.0.0"), S("255.255.255.255"), S("255.255.255.254"), S("255.0.255.0"),
            S("0.0.0.255"), S("24"), S("1.0.0.0"));
}

static void the_transport()
{
    TAKES("transport", S("plain"), S("fingerprint"), S("public_key"), S("ca"), S("insecure"));
    REFUSES("transport", S("tls"), S("Plain"), S("plain "), S("ssl"));
    TAKES("tls_fingerprint", many(40, 'a'));
    REFUSES("tls_fingerprint", many(39, 'a'), many(41, 'a'), many(40, 'A'), many(40, 'g'));
    TAKES("tls_ca", S(kCertificate));
    TAKES("tls_public_key", S(kPublicKey));
    const S whole = kCertificate;
    REFUSES("tls_ca", S(kPublicKey), whole.substr(0, whole.size() - 4), whole.substr(4),
            whole + whole, S("hello"), S(kPem), "-" + whole, many(2804, 'A'), S("MAA="), S("MA=="));
    REFUSES("tls_public_key", whole, S(kPublicKey) + "AAAA", S("{}"), many(804, 'A'));
}

static std::string tidy(const char *name, const std::string &value)
{
    std::string copy = value;
    field_tidy(*field_of(name), copy.data());
    copy.resize(strlen(copy.c_str()));
    return copy;
}

static void what_people_paste_is_tidied()
{
    CHECK(tidy("tls_ca", kPem) == kCertificate);
    CHECK(tidy("tls_ca", S("\n") + kCertificate + " ") == kCertificate);
    // Of two it is not clear which: both stay, and are refused.
    CHECK(!takes("tls_ca", tidy("tls_ca", S(kPem) + kPem)));
    CHECK(tidy("tls_fingerprint", "AB:cd:0F") == "abcd0f");
    CHECK(tidy("tls_fingerprint", "ab cd-0f") == "abcd0f");
    CHECK(tidy("address", "01:23") == "0123");
    CHECK(tidy("tls_ca", "-----BEGIN X") == "-----BEGINX");
    CHECK(tidy("tls_ca", "-----BEGIN X-----END ") == "-----BEGINX-----END");
    CHECK(tidy("tls_ca", "-----BEGIN X----------END X-----").empty());
    // Nothing else is touched.
    for (const char *name : {"name", "wifi_ssid", "wifi_password", "mqtt_user", "up_topic"}) {
        CHECK(tidy(name, " A:b- ") == " A:b- ");
    }
}

static void the_table_is_sound()
{
    for (size_t at = 0; at < kFieldCount; at++) {
        const Field &field = kFields[at];
        CHECK(field_of(field.name) == &field);
        CHECK(field.kept == (at < kKeptFieldCount));
        CHECK(field.initial[0] == '\0' || field_problem(field, field.initial) == nullptr);
        CHECK(strlen(field.initial) <= field.longest);
    }
    CHECK(field_of("") == nullptr && field_of("nam") == nullptr && field_of("names") == nullptr);
    CHECK(field_of("wifi_password")->secret() && field_of("mqtt_password")->secret() &&
          field_of("device_key")->secret() && !field_of("mqtt_user")->secret());
}

const test field_tests[] = {
    TEST(the_table_is_sound),
    TEST(numbers_are_read_as_they_are_written),
    TEST(text_is_utf_8_without_control_characters),
    TEST(addresses_and_keys),
    TEST(wifi_and_mqtt),
    TEST(topics),
    TEST(ip_addresses),
    TEST(the_transport),
    TEST(what_people_paste_is_tidied),
};
const unsigned field_test_count = sizeof field_tests / sizeof field_tests[0];
