// Readings that wait: ten before there is a connection, in a memory that has room for three.
#include "place.h"

#include <ESP8266WiFi.h>
#include <EspsealMqtt.h>
#include <espMqttClient.h>

espMqttClient mqtt;
EspsealSealedMqtt device;
uint8_t memory[3 * 8];
unsigned asked = 0;

void setup()
{
    mqtt.setServer(MQTT_HOST, MQTT_PORT);
    const EspsealTopics topics = {UP_TOPIC, HELLO_TOPIC, DOWN_TOPIC, BEACON_TOPIC};
    device.waitIn(memory, sizeof memory);
    device.dropOldest(DROP_OLDEST);
    device.beforeConnect([] { return ++asked > 20; });
    Serial.printf("begun: %s\n",
                  espseal_error_word(device.beginFromFlash(mqtt, topics, "Outbox 1.0")));
    for (unsigned number = 0; number < 10; number++) {
        char reading[8];
        snprintf(reading, sizeof reading, "number%u", number);
        Serial.printf("published: %s\n", espseal_error_word(device.publish(reading)));
    }
    char long_one[sizeof memory] = {};
    Serial.printf("too long: %s\n", espseal_error_word(device.publish(long_one, sizeof long_one)));
    Serial.printf("dropped: %u\n", static_cast<unsigned>(device.dropped()));
    WiFi.begin("house");
}

void loop()
{
    device.loop();
    static bool was_online = false;
    if (device.online() && !was_online) {
        was_online = true;
        Serial.printf("online, asked %u times\n", asked);
    }
}
