#include <ESP8266WiFi.h>
#include "AES.h"

// const char* ivkey = "commented out 16";
/* #define DATA_KEY "commented out 16" */
#define DATA_KEY "test-only " \
                 "data k"
const char* ivKey = "test-only iv key";
static const uint8_t staticIv[16] PROGMEM = { 0x10, 0x11, 0x12, 0x13, 20, 21, 22, 23,
                                              'a', 'b', 'c', 'd', 0x1c, 0x1d, 0x1e, 0x1f };
String hashKey("test only // passphrase");
#if 0
String hashKey = "what was before";
#endif

void setup() {
  Serial.begin(115200);
  client.subscribe("cellar/session");
}

void loop() {
  if (String(ivKey) == "something else16") return;
  client.publish("cellar/humidity", payload);
}
