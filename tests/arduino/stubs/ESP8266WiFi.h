// Stands in for the Wi-Fi library of the ESP8266's core, over the host's network. $BOARD/wifi is
// the air: "up" or none, an access point that gives the host's address; "down", none is heard;
// "locked", it refuses the password. It is read all the time, so that it may change.
// $BOARD/access-point is what the board opens: name, password, channel, hidden, how many clients.
#pragma once

#include <Arduino.h>
#include <IPAddress.h>
#include <WiFiClient.h>

typedef enum {
    WL_NO_SHIELD = 255,
    WL_IDLE_STATUS = 0,
    WL_NO_SSID_AVAIL = 1,
    WL_SCAN_COMPLETED = 2,
    WL_CONNECTED = 3,
    WL_CONNECT_FAILED = 4,
    WL_CONNECTION_LOST = 5,
    WL_WRONG_PASSWORD = 6,
    WL_DISCONNECTED = 7
} wl_status_t;

typedef enum WiFiMode { WIFI_OFF = 0, WIFI_STA = 1, WIFI_AP = 2, WIFI_AP_STA = 3 } WiFiMode_t;

class ESP8266WiFiClass
{
  public:
    static void persistent(bool persistent);
    bool mode(WiFiMode_t m);
    WiFiMode_t getMode();

    wl_status_t begin(const char *ssid, const char *passphrase = NULL, int32_t channel = 0,
                      const uint8_t *bssid = NULL, bool connect = true);
    bool config(IPAddress local_ip, IPAddress gateway, IPAddress subnet, IPAddress dns1 = 0U,
                IPAddress dns2 = 0U);
    bool disconnect(bool wifioff = false);
    bool setAutoReconnect(bool autoReconnect);
    wl_status_t status();
    IPAddress localIP();
    uint8_t *macAddress(uint8_t *mac);
    int8_t RSSI();
    int hostByName(const char *aHostname, IPAddress &aResult);

    bool softAP(const char *ssid, const char *psk = NULL, int channel = 1, int ssid_hidden = 0,
                int max_connection = 4);
    bool softAPdisconnect(bool wifioff = false);
    uint8_t softAPgetStationNum();
    IPAddress softAPIP();

  private:
    WiFiMode_t mode_ = WIFI_OFF;
    bool began_ = false;
    unsigned long up_since_ = 0;
    IPAddress static_;
};
extern ESP8266WiFiClass WiFi;
