// A relay that the host switches: commands "on" and "off". Nobody else can, and nobody can replay a
// command. What it was switched to comes back as a reading.
#include "espseal_config.h"

#include <ESP8266WiFi.h>
#include <EspsealMqtt.h>
#include <espMqttClient.h>

#define RELAY_PIN 5 // D1 on a NodeMCU or a D1 mini

espMqttClient mqtt;
EspsealSealedMqtt device;
const char *changed = nullptr;

void obey(const uint8_t *command, size_t bytes)
{
    const bool on = bytes == 2 && memcmp(command, "on", 2) == 0;
    const bool off = bytes == 3 && memcmp(command, "off", 3) == 0;
    if (on || off) {
        digitalWrite(RELAY_PIN, on ? HIGH : LOW);
        changed = on ? "relay=on" : "relay=off";
    }
}

void setup()
{
    Serial.begin(115200);
    pinMode(RELAY_PIN, OUTPUT);
    espsealWiFi();
    espsealServer(mqtt);
    device.onCommand(obey);
    espseal_error error = device.begin(mqtt, ESPSEAL_PROVISIONED, "Relay 1.0");
    Serial.printf("espseal: %s\n", espseal_error_word(error));
}

void loop()
{
    device.loop();
    if (changed != nullptr && device.publish(changed) == ESPSEAL_OK) {
        changed = nullptr;
    }
}
