#include <bearssl/bearssl.h>

#include <set>
#include <string>

#include "check.hpp"
#include "tls_words.h"

static std::string words(int error, const char *transport)
{
    return reinterpret_cast<const char *>(tls_words(error, transport));
}

static bool has(int error, const char *transport, const char *part)
{
    return words(error, transport).find(part) != std::string::npos;
}

static void every_error_has_a_sentence()
{
    for (const char *transport : {"fingerprint", "public_key", "ca", "insecure"}) {
        for (int error = -1001; error < 1024; error++) {
            const std::string said = words(error, transport);
            CHECK(said.size() > 20 && said.size() < 250);
            CHECK(said.back() == '.' || said.back() == '?');
        }
    }
}

// Those that somebody can do something about do not fall into the sentence for the rest.
static void what_can_be_mended_is_said()
{
    const std::string rest = words(BR_ERR_BAD_PARAM, "ca");
    const std::string unreadable = words(BR_ERR_X509_TRUNCATED, "ca");
    for (int error : {-1000,
                      BR_ERR_OK,
                      BR_ERR_UNSUPPORTED_VERSION,
                      BR_ERR_BAD_VERSION,
                      BR_ERR_TOO_LARGE,
                      BR_ERR_BAD_MAC,
                      BR_ERR_UNKNOWN_TYPE,
                      BR_ERR_BAD_HANDSHAKE,
                      BR_ERR_BAD_CIPHER_SUITE,
                      BR_ERR_BAD_FRAGLEN,
                      BR_ERR_LIMIT_EXCEEDED,
                      BR_ERR_BAD_FINISHED,
                      BR_ERR_INVALID_ALGORITHM,
                      BR_ERR_BAD_SIGNATURE,
                      BR_ERR_WRONG_KEY_USAGE,
                      BR_ERR_IO,
                      BR_ERR_X509_EMPTY_CHAIN,
                      BR_ERR_X509_UNSUPPORTED,
                      BR_ERR_X509_LIMIT_EXCEEDED,
                      BR_ERR_X509_WRONG_KEY_TYPE,
                      BR_ERR_X509_BAD_SIGNATURE,
                      BR_ERR_X509_TIME_UNKNOWN,
                      BR_ERR_X509_EXPIRED,
                      BR_ERR_X509_DN_MISMATCH,
                      BR_ERR_X509_BAD_SERVER_NAME,
                      BR_ERR_X509_CRITICAL_EXTENSION,
                      BR_ERR_X509_NOT_CA,
                      BR_ERR_X509_FORBIDDEN_KEY_USAGE,
                      BR_ERR_X509_WEAK_PUBLIC_KEY,
                      BR_ERR_X509_NOT_TRUSTED}) {
        CHECK(words(error, "ca") != rest && words(error, "ca") != unreadable);
    }
    for (int alert : {20, 40, 42, 46, 51, 70, 71, 112, 116}) {
        CHECK(words(256 + alert, "ca") != words(256 + 80, "ca"));
    }
}

// The same number means something else with another setting.
static void the_setting_decides_what_is_meant()
{
    CHECK(has(BR_ERR_X509_NOT_TRUSTED, "fingerprint", "tls_fingerprint"));
    CHECK(has(BR_ERR_X509_NOT_TRUSTED, "ca", "tls_ca"));
    CHECK(has(BR_ERR_BAD_SIGNATURE, "public_key", "tls_public_key"));
    CHECK(!has(BR_ERR_BAD_SIGNATURE, "ca", "tls_public_key"));
    CHECK(has(256 + 51, "public_key", "tls_public_key"));
}

const test word_tests[] = {
    TEST(every_error_has_a_sentence),
    TEST(what_can_be_mended_is_said),
    TEST(the_setting_decides_what_is_meant),
};
const unsigned word_test_count = sizeof word_tests / sizeof word_tests[0];
