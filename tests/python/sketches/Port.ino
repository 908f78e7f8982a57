#include <Arduino.h>
#include <PracticalCrypto.h>

PracticalCrypto crypto;

void setup() {
    // 64 characters: static IV, IV key, data key and MAC key.
    String key = "static-iv--test!iv-key-for-tests0data-key--tests1mac-key--tests2";
    crypto.setKey(key);
}

void loop() {
    String ciphertext = crypto.encrypt("21.5");
    client.publish("roof/wind", ciphertext.c_str());
}
