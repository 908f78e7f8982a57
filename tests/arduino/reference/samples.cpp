#include "samples.h"

const char kCertificate[] =
    "MIIBdDCCARugAwIBAgIUTqJ8GMzXiSMm1Lhqqw4C/pJGNoUwCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwE"
    "dGVzdDAgFw0yNjExMjEyMTA1NDFaGA8yMTI2MTAyODIxMDU0MVowDzENMAsGA1UEAwwEdGVzdDBZMBMG"
    "ByqGSM49AgEGCCqGSM49AwEHA0IABEFnpG/Onyqx0ExliRBFWeXt60DXffVsprjju6Vf9BhO8zhL4Y1R"
    "ayI6XdGy7IAiNEo9EXrobjx68JzfT4sG4HejUzBRMB0GA1UdDgQWBBT8jR9QSsPJHG8pBPxQsvqkbbOS"
    "OjAfBgNVHSMEGDAWgBT8jR9QSsPJHG8pBPxQsvqkbbOSOjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49"
    "BAMCA0cAMEQCIF1aksrmSDkizEzx/pgie6k9SPEgi6VwUP273vfw61PLAiAxfWJiKQ+1cEnsi/c9JdRU"
    "321x57RpLNgggIE06qAmew==";

const char kPublicKey[] =
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQWekb86fKrHQTGWJEEVZ5e3rQNd99WymuOO7pV/0GE7z"
    "OEvhjVFrIjpd0bLsgCI0Sj0ReuhuPHrwnN9Piwbgdw==";

const char kPem[] = "-----BEGIN CERTIFICATE-----\r\n"
                    "MIIBdDCCARugAwIBAgIUTqJ8GMzXiSMm1Lhqqw4C/pJGNoUwCgYIKoZIzj0EAwIw\r\n"
                    "DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjEyMTA1NDFaGA8yMTI2MTAyODIxMDU0\r\n"
                    "MVowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEFn\r\n"
                    "pG/Onyqx0ExliRBFWeXt60DXffVsprjju6Vf9BhO8zhL4Y1RayI6XdGy7IAiNEo9\r\n"
                    "EXrobjx68JzfT4sG4HejUzBRMB0GA1UdDgQWBBT8jR9QSsPJHG8pBPxQsvqkbbOS\r\n"
                    "OjAfBgNVHSMEGDAWgBT8jR9QSsPJHG8pBPxQsvqkbbOSOjAPBgNVHRMBAf8EBTAD\r\n"
                    "AQH/MAoGCCqGSM49BAMCA0cAMEQCIF1aksrmSDkizEzx/pgie6k9SPEgi6VwUP27\r\n"
                    "3vfw61PLAiAxfWJiKQ+1cEnsi/c9JdRU321x57RpLNgggIE06qAmew==\r\n"
                    "-----END CERTIFICATE-----\r\n";

bool fill(Draft *draft, const char *address, const char *password, const char *key)
{
    const char *const values[][2] = {
        {"name", "kitchen"},
        {"address", address},
        {"beacon_topic", "espseal/home/beacon"},
        {"wifi_ssid", "house"},
        {"wifi_password", password},
        {"mqtt_host", "192.168.1.2"},
        {"device_key", key == nullptr ? "" : key},
    };
    Problem problem;
    bool done = true;
    for (const char *const *value : values) {
        done = done && draft->set(value[0], value[1], &problem);
    }
    return done;
}
