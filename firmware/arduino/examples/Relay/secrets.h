// Put in what is yours, and keep this file out of your repository.
#pragma once

#define WIFI_SSID "CHANGE-ME"
#define WIFI_PASSWORD "CHANGE-ME"
#define MQTT_HOST "CHANGE-ME"  // a host name or an IP address
#define MQTT_PORT 1883

// Of the keyring on the host: the fleet's name, and this device's address and key.
#define FLEET "CHANGE-ME"
#define ADDRESS "CHANGE-ME"  // 16 hex digits
#define KEY "CHANGE-ME"      // 64 hex digits
