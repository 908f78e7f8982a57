// The smallest useful sensor: a reading a minute, sealed, at QoS 1. `espseal provision`
// writes espseal_config.h.
#include "espseal_config.h"

#include <ESP8266WiFi.h>
#include <EspsealMqtt.h>
#include <espMqttClient.h>

#ifndef INTERVAL_MS
#define INTERVAL_MS 60000
#endif

espMqttClient mqtt;
EspsealSealedMqtt device;
unsigned long last = 0;

void setup()
{
    Serial.begin(115200);
    espsealWiFi();
    espsealServer(mqtt);
    espseal_error error = device.begin(mqtt, ESPSEAL_PROVISIONED, "Sensor 1.0");
    Serial.printf("espseal: %s\n", espseal_error_word(error));
}

void loop()
{
    device.loop();
    if (millis() - last >= INTERVAL_MS) {
        last = millis();
        char reading[16];
        snprintf(reading, sizeof reading, "%d", analogRead(A0));
        espseal_error error = device.publish(reading);
        if (error != ESPSEAL_OK) {
            Serial.printf("not published: %s\n", espseal_error_word(error));
        }
    }
}
