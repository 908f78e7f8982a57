// Stands in for espMqttClient 1.7: only what it has, with its signatures and its states.
// MQTT 3.1.1, QoS 0 and 1; what was published at QoS 1 stays until it is acknowledged, across
// connections.
#pragma once

#include <Arduino.h>
#include <WiFiClient.h>
#include <WiFiClientSecure.h>

#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace espMqttClientTypes
{

enum class DisconnectReason : uint8_t {
    TCP_DISCONNECTED = 0,
    MQTT_UNACCEPTABLE_PROTOCOL_VERSION = 1,
    MQTT_IDENTIFIER_REJECTED = 2,
    MQTT_SERVER_UNAVAILABLE = 3,
    MQTT_MALFORMED_CREDENTIALS = 4,
    MQTT_NOT_AUTHORIZED = 5
};

struct MessageProperties {
    uint8_t qos;
    bool dup;
    bool retain;
    uint16_t packetId;
};

typedef std::function<void(bool sessionPresent)> OnConnectCallback;
typedef std::function<void(DisconnectReason reason)> OnDisconnectCallback;
typedef std::function<void(const MessageProperties &properties, const char *topic,
                           const uint8_t *payload, size_t len, size_t index, size_t total)>
    OnMessageCallback;
typedef std::function<void(uint16_t packetId)> OnPublishCallback;

} // namespace espMqttClientTypes

namespace espMqttClientInternals
{

struct ClientSync {
    WiFiClient client;
};
struct ClientSecureSync {
    WiFiClientSecure client;
};

} // namespace espMqttClientInternals

class MqttClient
{
  public:
    virtual ~MqttClient() = default;
    bool connected() const;
    bool disconnected() const;
    bool connect();
    bool disconnect(bool force = false);
    uint16_t subscribe(const char *topic, uint8_t qos);
    uint16_t publish(const char *topic, uint8_t qos, bool retain, const uint8_t *payload,
                     size_t length);
    uint16_t publish(const char *topic, uint8_t qos, bool retain, const char *payload);
    void loop();

    size_t queueSize();

  protected:
    WiFiClient *transport_ = nullptr;
    std::string host_, client_id_, user_, password_;
    uint16_t port_ = 1883;
    bool clean_ = true;
    espMqttClientTypes::OnConnectCallback on_connect_;
    espMqttClientTypes::OnDisconnectCallback on_disconnect_;
    espMqttClientTypes::OnMessageCallback on_message_;
    espMqttClientTypes::OnPublishCallback on_publish_;

  private:
    struct Packet {
        std::string bytes;
        uint16_t id; // 0: goes once it was written
    };
    enum class State { kOffline, kCalling, kConnecting, kOnline, kStopping, kLeaving };

    void introduce();
    void converse();
    void read();
    void drop(espMqttClientTypes::DisconnectReason reason =
                  espMqttClientTypes::DisconnectReason::TCP_DISCONNECTED);
    void write(const std::string &bytes);
    void take(uint8_t type, const uint8_t *body, size_t bytes);
    void hand_over(uint8_t flags, const uint8_t *body, size_t bytes);
    uint16_t next_id();

    State state_ = State::kOffline;
    espMqttClientTypes::DisconnectReason reason_ =
        espMqttClientTypes::DisconnectReason::TCP_DISCONNECTED;
    std::string received_;
    std::deque<Packet> outbox_; // QoS 1, unacknowledged
    uint16_t last_id_ = 0;
    unsigned long sent_at_ = 0;
    unsigned long heard_at_ = 0;
};

template <typename T>
class MqttClientSetup : public MqttClient
{
  public:
    T &setClientId(const char *clientId)
    {
        client_id_ = clientId;
        return self();
    }
    T &setCleanSession(bool cleanSession)
    {
        clean_ = cleanSession;
        return self();
    }
    T &setCredentials(const char *username, const char *password)
    {
        user_ = username;
        password_ = password;
        return self();
    }
    T &setServer(const char *host, uint16_t port)
    {
        host_ = host;
        port_ = port;
        return self();
    }
    T &onConnect(espMqttClientTypes::OnConnectCallback callback)
    {
        on_connect_ = callback;
        return self();
    }
    T &onDisconnect(espMqttClientTypes::OnDisconnectCallback callback)
    {
        on_disconnect_ = callback;
        return self();
    }
    T &onMessage(espMqttClientTypes::OnMessageCallback callback)
    {
        on_message_ = callback;
        return self();
    }
    T &onPublish(espMqttClientTypes::OnPublishCallback callback)
    {
        on_publish_ = callback;
        return self();
    }

  private:
    T &self() { return static_cast<T &>(*this); }
};

class espMqttClient : public MqttClientSetup<espMqttClient>
{
  public:
    espMqttClient() { transport_ = &_client.client; }

  protected:
    espMqttClientInternals::ClientSync _client;
};

class espMqttClientSecure : public MqttClientSetup<espMqttClientSecure>
{
  public:
    espMqttClientSecure() { transport_ = &_client.client; }

  protected:
    espMqttClientInternals::ClientSecureSync _client;
};
