// A sensor whose identity was written to flash alone.
#include "place.h"

#include <ESP8266WiFi.h>
#include <EspsealMqtt.h>
#include <espMqttClient.h>

espMqttClient mqtt;
EspsealSealedMqtt device;
unsigned long last = 0;

void setup()
{
    WiFi.begin("house");
    mqtt.setServer(MQTT_HOST, MQTT_PORT);
    espseal_error error = device.beginFromFlash(mqtt, "home", "1.0");
    Serial.printf("espseal: %s\n", espseal_error_word(error));
}

void loop()
{
    device.loop();
    if (millis() - last >= 100) {
        last = millis();
        if (device.publish("from flash") != ESPSEAL_OK) {
            Serial.println("refused");
        }
    }
}
