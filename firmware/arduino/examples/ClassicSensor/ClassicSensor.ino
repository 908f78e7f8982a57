// A node of the article, in its own frame: readings under session IDs, and commands that switch the
// LED. For receivers that know nothing else; a new device takes the sealed frame (Sensor).
#include <ESP8266WiFi.h>
#include <EspsealMqtt.h>
#include <espMqttClient.h>

#include "secrets.h"

#ifndef INTERVAL_MS
#define INTERVAL_MS 60000
#endif

espMqttClient mqtt;
EspsealClassicMqtt device;
unsigned long last = 0;

void obey(const uint8_t *command, size_t bytes)
{
    // The LED is on when its pin is low.
    digitalWrite(LED_BUILTIN, bytes == 2 && memcmp(command, "on", 2) == 0 ? LOW : HIGH);
}

void setup()
{
    Serial.begin(115200);
    pinMode(LED_BUILTIN, OUTPUT);
    WiFi.mode(WIFI_STA);
    WiFi.begin(WIFI_SSID, WIFI_PASSWORD);
    mqtt.setServer(MQTT_HOST, MQTT_PORT);
    EspsealClassicTopics topics;
    topics.readings = TOPIC;
    topics.session = SESSION_TOPIC;
    topics.commands = COMMAND_TOPIC;
    topics.command_session = COMMAND_SESSION_TOPIC;
    device.onCommand(obey);
    espseal_error error =
        device.begin(mqtt, topics, {IV_KEY, DATA_KEY, STATIC_IV, PASSPHRASE}, NODE_ID);
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
