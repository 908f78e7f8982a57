#include "station.h"

#include <Arduino.h>
#include <ESP8266WiFi.h>

// How long the chip is let alone before it has to begin anew, in ms; it doubles each time.
#if !defined(STATION_FIRST_MS)
#define STATION_FIRST_MS 20000
#endif
#if !defined(STATION_LAST_MS)
#define STATION_LAST_MS 300000
#endif

namespace
{

const Settings *given = nullptr;
bool there = false;
uint32_t tried_at = 0;
uint32_t wait = STATION_FIRST_MS;

void join()
{
    const char *const password = given->get("wifi_password");
    tried_at = millis();
    WiFi.begin(given->get("wifi_ssid"), password[0] == '\0' ? nullptr : password);
}

void fix_address()
{
    IPAddress address, gateway, mask, dns;
    if (given->given("ip_address") && address.fromString(given->get("ip_address")) &&
        gateway.fromString(given->get("ip_gateway")) && mask.fromString(given->get("ip_mask")) &&
        dns.fromString(given->get("ip_dns"))) {
        WiFi.config(address, gateway, mask, dns);
    }
}

Sentence trouble(wl_status_t status)
{
    switch (status) {
    case WL_NO_SSID_AVAIL:
        return F("no network of that name is heard. Is it in reach, on 2.4 GHz, and spelt so?");
    case WL_WRONG_PASSWORD:
        return F("it refuses the password. Check wifi_password.");
    case WL_CONNECT_FAILED:
        return F("it refuses. Check wifi_password, and whether it takes WPA2.");
    default:
        return F("no answer.");
    }
}

} // namespace

void station_begin(const Settings &settings)
{
    given = &settings;
    // The chip keeps no copy of the password in a place of its own.
    WiFi.persistent(false);
    WiFi.mode(WIFI_STA);
    WiFi.setAutoReconnect(true);
    fix_address();
    Serial.printf_P(PSTR("Wi-Fi: joining \"%s\".\n"), given->get("wifi_ssid"));
    join();
}

bool station_loop()
{
    const wl_status_t status = WiFi.status();
    if (status == WL_CONNECTED) {
        if (!there) {
            there = true;
            wait = STATION_FIRST_MS;
            Serial.printf_P(PSTR("Wi-Fi: joined, IP %s (%s), signal %d dBm.\n"),
                            WiFi.localIP().toString().c_str(),
                            given->given("ip_address") ? "fixed" : "DHCP", WiFi.RSSI());
        }
        return true;
    }
    if (there) {
        there = false;
        tried_at = millis();
        Serial.println(F("Wi-Fi: lost. Readings wait; it is tried again for ever."));
    }
    if (millis() - tried_at >= wait) {
        wait = wait < STATION_LAST_MS / 2 ? 2 * wait : STATION_LAST_MS;
        Serial.print(F("Wi-Fi: not joined: "));
        Serial.println(trouble(status));
        WiFi.disconnect();
        join();
    }
    return false;
}
