// Put in what is yours, and keep this file out of your repository.
#pragma once

#define WIFI_SSID "CHANGE-ME"
#define WIFI_PASSWORD "CHANGE-ME"
#define MQTT_HOST "CHANGE-ME" // a host name or an IP address
#define MQTT_PORT 1883

// As in the keyring's group on the host.
#define NODE_ID "11242238"
#define TOPIC "sensors/CHANGE-ME"
#define SESSION_TOPIC "sensors/session"
#define COMMAND_TOPIC "sensors/11242238/command"
#define COMMAND_SESSION_TOPIC "sensors/11242238/command-session"
#define IV_KEY "CHANGE-ME-iv-key"    // 16 characters
#define DATA_KEY "CHANGE-ME-data-k"  // 16 characters
#define STATIC_IV "CHANGE-ME-static" // 16 characters
#define PASSPHRASE "CHANGE-ME-passphrase"
