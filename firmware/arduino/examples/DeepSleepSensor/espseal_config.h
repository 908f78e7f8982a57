/* Let `espseal provision NAME --format arduino --force --output espseal_config.h` write this file,
 * with --wifi-ssid, --wifi-password-file and --mqtt-host. It holds the device's key: keep it to
 * yourself. */
#ifndef ESPSEAL_CONFIG_H
#define ESPSEAL_CONFIG_H

#define ESPSEAL_NAME "CHANGE-ME"
#define ESPSEAL_ADDRESS                                \
    {                                                  \
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00 \
    }
#define ESPSEAL_DEVICE_KEY \
    {                      \
        0x00               \
    }
#define ESPSEAL_EPOCH 0
#define ESPSEAL_UP_TOPIC "espseal/CHANGE-ME/up"
#define ESPSEAL_HELLO_TOPIC "espseal/CHANGE-ME/hello"
#define ESPSEAL_DOWN_TOPIC "espseal/CHANGE-ME/down"
#define ESPSEAL_BEACON_TOPIC "espseal/CHANGE-ME/beacon"
#define ESPSEAL_MQTT_HOST "CHANGE-ME"
#define ESPSEAL_WIFI_SSID "CHANGE-ME"
#define ESPSEAL_WIFI_PASSWORD "CHANGE-ME"

#endif
