#include "transport.h"

#include <Arduino.h>
#include <stdlib.h>
#include <time.h>

#include "codec.h"
#include "tls_words.h"

namespace
{

constexpr uint32_t kSayEveryMs = 60000;
// 2026-01-01. Before NTP has answered the clock counts from 1970.
constexpr time_t kTimeMin = 1767225600;
// What a record of the server may have without max_fragment_length, and what the board sends in.
constexpr uint16_t kWhole = 16384;
constexpr uint16_t kSent = 512;
// Heap for BearSSL's client and its validator, the overhead of both buffers, and what the rest
// needs to go on.
constexpr uint32_t kContexts = 6600 + 325 + 85;
constexpr uint32_t kReserve = 4096;

using espMqttClientTypes::DisconnectReason;

// What the broker's answer to MQTT's CONNECT means; nullptr: there was none.
Sentence refusal(DisconnectReason reason)
{
    switch (reason) {
    case DisconnectReason::MQTT_MALFORMED_CREDENTIALS:
    case DisconnectReason::MQTT_NOT_AUTHORIZED:
        return F("It refuses the user name or the password: check mqtt_user and mqtt_password.");
    case DisconnectReason::MQTT_UNACCEPTABLE_PROTOCOL_VERSION:
        return F("It does not take MQTT 3.1.1: allow that, or take another broker.");
    case DisconnectReason::MQTT_IDENTIFIER_REJECTED:
        return F("It refuses the name of the client, esp8266 and the chip's number: allow that.");
    case DisconnectReason::MQTT_SERVER_UNAVAILABLE:
        return F("It is there, and cannot serve just now: look into its log.");
    default:
        return nullptr;
    }
}

} // namespace

template <class Client>
espseal_error Transport::start(Client &client, const EspsealTopics &topics, const char *version)
{
    client.setServer(settings_->get("mqtt_host"),
                     static_cast<uint16_t>(settings_->number("mqtt_port")));
    if (settings_->given("mqtt_user")) {
        client.setCredentials(settings_->get("mqtt_user"), settings_->get("mqtt_password"));
    }
    client.onDisconnect([this](espMqttClientTypes::DisconnectReason reason) { gone(reason); });
    return device_->beginFromFlash(client, topics, version);
}

espseal_error Transport::begin(EspsealSealedMqtt &device, const Settings &settings,
                               const EspsealTopics &topics, const char *version)
{
    device_ = &device;
    settings_ = &settings;
    describe();
    if (!settings.tls()) {
        plain_ = new espMqttClient;
        return start(*plain_, topics, version);
    }
    tls_ = new TlsClient;
    const Sentence problem = know_server();
    if (problem != nullptr) {
        usable_ = false;
        Serial.println(problem);
    }
    device.beforeConnect([this] { return ready(); });
    return start(*tls_, topics, version);
}

void Transport::describe()
{
    Serial.printf_P(PSTR("Broker: %s, port %u, "), settings_->get("mqtt_host"),
                    static_cast<unsigned>(settings_->number("mqtt_port")));
    if (!settings_->tls()) {
        Serial.println(F("plain TCP: who listens sees topics and password, but no reading."));
    } else if (settings_->is("transport", "fingerprint")) {
        Serial.println(F("TLS to the certificate with the fingerprint that is stored."));
    } else if (settings_->is("transport", "public_key")) {
        Serial.println(F("TLS to the server with the public key that is stored."));
    } else if (settings_->is("transport", "ca")) {
        Serial.println(F("TLS to the host of that name, vouched for by the CA that is stored."));
    } else {
        Serial.println(F("TLS to whoever answers."));
        Serial.println(F("WARNING: transport is insecure. Anybody in between can pose as the "
                         "broker and read the password of MQTT; readings stay sealed."));
    }
}

// Gives TLS what it knows the server by. nullptr: it has; else what is wrong with that.
Sentence Transport::know_server()
{
    BearSSL::WiFiClientSecure &client = tls_->tls();
    if (settings_->is("transport", "insecure")) {
        client.setInsecure();
        return nullptr;
    }
    if (settings_->is("transport", "fingerprint")) {
        uint8_t fingerprint[20];
        if (!hex_decode(settings_->get("tls_fingerprint"), fingerprint, sizeof fingerprint)) {
            return F("tls_fingerprint is no fingerprint: set it anew.");
        }
        client.setFingerprint(fingerprint);
        return nullptr;
    }
    const char *const text =
        settings_->get(settings_->is("transport", "ca") ? "tls_ca" : "tls_public_key");
    const size_t bytes = base64_decode(text, nullptr, 0);
    uint8_t *const der = static_cast<uint8_t *>(malloc(bytes + 1));
    if (der == nullptr) {
        return F("There is not memory enough: take a shorter key.");
    }
    base64_decode(text, der, bytes);
    const bool known = trust(der, bytes);
    free(der);
    return known ? nullptr : F("The key or certificate that is stored cannot be read.");
}

// A key or a CA's certificate, of which it keeps a copy.
bool Transport::trust(const uint8_t *der, size_t bytes)
{
    if (settings_->is("transport", "ca")) {
        anchors_ = new BearSSL::X509List(der, bytes);
        tls_->tls().setTrustAnchors(anchors_);
        return anchors_->getCount() > 0;
    }
    key_ = new BearSSL::PublicKey(der, bytes);
    tls_->tls().setKnownKey(key_);
    return key_->isRSA() || key_->isEC();
}

// Before each attempt.
bool Transport::ready()
{
    return usable_ && has_time() && has_buffers() && has_memory();
}

bool Transport::may_say()
{
    if (said_ && millis() - said_at_ < kSayEveryMs) {
        return false;
    }
    said_ = true;
    said_at_ = millis();
    return true;
}

bool Transport::has_time()
{
    if (!settings_->is("transport", "ca")) {
        return true;
    }
    if (!asked_time_) {
        asked_time_ = true;
        configTime(0, 0, settings_->get("ntp_server"));
    }
    const time_t now = time(nullptr);
    if (now < kTimeMin) {
        if (may_say()) {
            Serial.printf_P(PSTR("TLS: waiting for the time from %s (UDP port 123). Without it no "
                                 "certificate can be checked.\n"),
                            settings_->get("ntp_server"));
        }
        return false;
    }
    tls_->tls().setX509Time(now);
    return true;
}

// Finds out how small the records of the server can be: the buffer has to hold one.
bool Transport::has_buffers()
{
    if (piece_ != 0) {
        return true;
    }
    const char *const host = settings_->get("mqtt_host");
    const uint16_t port = static_cast<uint16_t>(settings_->number("mqtt_port"));
    if (WiFiClient().connect(host, port) == 0) {
        // Nobody is there to be asked. The attempt fails, and says so.
        return true;
    }
    for (uint16_t length = 512; length <= 4096 && piece_ == 0; length *= 2) {
        if (BearSSL::WiFiClientSecure::probeMaxFragmentLength(host, port, length)) {
            piece_ = length;
        }
    }
    piece_ = piece_ == 0 ? kWhole : piece_;
    if (piece_ != said_piece_) {
        said_piece_ = piece_;
        Serial.printf_P(piece_ == kWhole
                            ? PSTR("TLS: the server does not agree to small records "
                                   "(max_fragment_length), so the board needs room for %u bytes.\n")
                            : PSTR("TLS: the server agrees to records of %u bytes.\n"),
                        piece_);
    }
    tls_->tls().setBufferSizes(piece_, kSent);
    return true;
}

bool Transport::has_memory()
{
    const uint32_t needed = kContexts + piece_ + kSent + kReserve;
    const uint32_t there = ESP.getFreeHeap();
    if (there >= needed && ESP.getMaxFreeBlockSize() > piece_) {
        return true;
    }
    if (may_say()) {
        Serial.printf_P(PSTR("TLS: it needs %u bytes of heap, and %u are free. "),
                        static_cast<unsigned>(needed), static_cast<unsigned>(there));
        Serial.println(tls_words(-1000, ""));
        // Perhaps it only did not answer when it was asked.
        piece_ = 0;
    }
    return false;
}

void Transport::look()
{
    const bool online = device_->online();
    if (tls_ != nullptr && !online) {
        // It is known until the client lets go of the connection, in its next turn.
        const int error = tls_->tls().getLastSSLError();
        error_ = error != 0 ? error : error_;
    }
    if (online && !online_) {
        online_ = true;
        said_ = false;
        Serial.printf_P(PSTR("Broker: connected. Free heap: %u bytes, the largest piece %u.\n"),
                        static_cast<unsigned>(ESP.getFreeHeap()),
                        static_cast<unsigned>(ESP.getMaxFreeBlockSize()));
    }
}

void Transport::gone(DisconnectReason reason)
{
    const bool was_online = online_;
    const int error = error_;
    online_ = false;
    error_ = 0;
    Serial.print(was_online ? F("Broker: connection lost. ") : F("Broker: not connected. "));
    if (error != 0) {
        Serial.printf_P(PSTR("TLS error %d: "), error);
        Serial.println(tls_words(error, settings_->get("transport")));
    } else if (refusal(reason) != nullptr) {
        Serial.println(refusal(reason));
    } else if (was_online) {
        Serial.println(F("It is tried again for ever."));
    } else if (tls_ != nullptr) {
        Serial.println(tls_words(0, settings_->get("transport")));
    } else {
        Serial.println(F("It does not answer, or broke off. Is it on, is that its port, does it "
                         "listen on the network (Mosquitto: a listener line), and is it not the "
                         "port of TLS?"));
    }
    // The server is asked anew if it is another now, or perhaps only did not answer.
    if (piece_ == kWhole || error == BR_ERR_TOO_LARGE || error == BR_ERR_BAD_FRAGLEN ||
        error == BR_ERR_BAD_LENGTH) {
        piece_ = 0;
    }
}
