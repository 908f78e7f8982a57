// The smallest useful sensor: a reading a minute, sealed, at QoS 1. Put your values in secrets.h.
#include <ESP8266WiFi.h>
#include <EspsealMqtt.h>
#include <espMqttClient.h>

#include "secrets.h"

#ifndef INTERVAL_MS
#define INTERVAL_MS 60000
#endif

espMqttClient mqtt;
EspsealSealedMqtt device;
unsigned long last = 0;

void setup() {
  Serial.begin(115200);
  WiFi.mode(WIFI_STA);
  WiFi.begin(WIFI_SSID, WIFI_PASSWORD);
  mqtt.setServer(MQTT_HOST, MQTT_PORT);
  espseal_error error = device.begin(mqtt, FLEET, ADDRESS, KEY, "Sensor 1.0");
  Serial.printf("espseal: %s\n", espseal_error_word(error));
}

void loop() {
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
