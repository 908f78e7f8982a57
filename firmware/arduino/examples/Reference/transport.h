// How the broker is reached: over TCP as it is, or over TLS with one of four ways to know the
// server. The payload is sealed in each.
#pragma once

#include <EspsealMqtt.h>
#include <espMqttClient.h>

#include "settings.h"

// The client of TLS, of which the library shows only a part.
class TlsClient : public espMqttClientSecure
{
  public:
    BearSSL::WiFiClientSecure &tls() { return _client.client; }
};

class Transport
{
  public:
    // Makes the one client that the settings ask for, and begins the device over it. `settings` and
    // the topics stay valid. Errors: of EspsealSealedMqtt::beginFromFlash.
    ESPSEAL_MUST_USE espseal_error begin(EspsealSealedMqtt &device, const Settings &settings,
                                         const EspsealTopics &topics, const char *version);

    // Says what has changed since the last time. After each device.loop().
    void look();

  private:
    template <class Client>
    espseal_error start(Client &client, const EspsealTopics &topics, const char *version);
    void describe();
    Sentence know_server();
    bool trust(const uint8_t *der, size_t bytes);
    bool ready();
    bool has_time();
    bool has_buffers();
    bool has_memory();
    void gone(espMqttClientTypes::DisconnectReason reason);
    // Whether what holds it up may be said now: once a minute, for it is asked for all the time.
    bool may_say();

    EspsealSealedMqtt *device_ = nullptr;
    const Settings *settings_ = nullptr;
    espMqttClient *plain_ = nullptr;
    TlsClient *tls_ = nullptr;
    BearSSL::PublicKey *key_ = nullptr;
    BearSSL::X509List *anchors_ = nullptr;
    uint16_t piece_ = 0; // how many bytes a record of the server has at most; 0: not known
    uint16_t said_piece_ = 0;
    bool asked_time_ = false;
    bool usable_ = true;
    bool online_ = false;
    int error_ = 0; // of TLS, in this attempt
    bool said_ = false;
    uint32_t said_at_ = 0;
};
