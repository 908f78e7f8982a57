// A sensor on a battery: it wakes, publishes a reading, and sleeps. GPIO16 (D0) is connected to
// RST. The counter sleeps in RTC memory, so that flash is not written each time.
#include "espseal_config.h"

#include <ESP8266WiFi.h>
#include <EspsealMqtt.h>
#include <espMqttClient.h>

#define SLEEP_S 600
#define AWAKE_MS_MAX 20000

espMqttClient mqtt;
EspsealSealedMqtt device;

void setup()
{
    Serial.begin(115200);
    espsealWiFi();
    espsealServer(mqtt);
    // The broker keeps what comes while it sleeps: the host may ask for a hello.
    mqtt.setClientId(ESPSEAL_NAME).setCleanSession(false);
    espseal_error error = device.begin(mqtt, ESPSEAL_PROVISIONED, "DeepSleepSensor 1.0");
    if (error == ESPSEAL_OK) {
        char reading[16];
        snprintf(reading, sizeof reading, "%d", analogRead(A0));
        error = device.publish(reading);
    }
    Serial.printf("espseal: %s\n", espseal_error_word(error));
}

void loop()
{
    device.loop();
    // A reading that the broker does not take in time is lost; the counter shows the gap.
    if (device.idle() || millis() >= AWAKE_MS_MAX) {
        espseal_error error = device.sleep(SLEEP_S * 1000000ULL);
        Serial.printf("no sleep: %s\n", espseal_error_word(error));
        ESP.deepSleep(SLEEP_S * 1000000ULL);
    }
}
