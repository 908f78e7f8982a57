// A device over MQTT, with espMqttClient (https://github.com/bertmelis/espMqttClient): readings go
// out at QoS 1, so that each arrives, and the host tells a second copy by its counter or MAC.
//
//   EspsealSealedMqtt device;            // or EspsealClassicMqtt
//   device.onCommand(callback);          // if it takes commands
//   device.begin(mqtt, ...);             // in setup(), after WiFi.begin() and mqtt.setServer()
//   device.publish("23.5");              // whenever there is a reading
//   device.loop();                       // in loop(): in place of mqtt.loop()
//
// It connects `mqtt`, and sets its onConnect, onMessage and onPublish; onDisconnect is yours.
#pragma once

#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <espMqttClient.h>
#include <string.h>

#include "Espseal.h"

// Readings that wait, for a connection or a session, the oldest first; in RAM, in the clear.
class EspsealOutbox
{
  public:
    // False: there is no room.
    bool push(const void *data, size_t bytes)
    {
        if (bytes > 255 || bytes + 1 > size_) {
            return false;
        }
        while (bytes + 1 > size_ - used_) {
            if (!drop_oldest_) {
                return false;
            }
            pop();
            dropped_++;
        }
        memory_[used_] = static_cast<uint8_t>(bytes);
        memcpy(memory_ + used_ + 1, data, bytes);
        used_ += bytes + 1;
        return true;
    }
    bool empty() const { return used_ == 0; }
    const uint8_t *data() const { return memory_ + 1; }
    size_t bytes() const { return memory_[0]; }
    void pop()
    {
        const size_t gone = bytes() + 1;
        used_ -= gone;
        memmove(memory_, memory_ + gone, used_);
    }
    void wait_in(uint8_t *memory, size_t bytes)
    {
        memory_ = memory;
        size_ = bytes;
        used_ = 0;
    }
    void drop_oldest(bool drop) { drop_oldest_ = drop; }
    uint32_t dropped() const { return dropped_; }

    // It points into itself.
    EspsealOutbox() = default;
    EspsealOutbox(const EspsealOutbox &) = delete;
    EspsealOutbox &operator=(const EspsealOutbox &) = delete;

  private:
    uint8_t own_[ESPSEAL_OUTBOX_BYTES] = {};
    uint8_t *memory_ = own_;
    size_t size_ = sizeof own_;
    size_t used_ = 0;
    uint32_t dropped_ = 0;
    bool drop_oldest_ = false;
};

// The connection, and messages put together: what both formats need.
class EspsealLink
{
  public:
    // Readings that were published and not acknowledged yet.
    unsigned inFlight() const { return in_flight_; }
    // Whether the broker has taken it in.
    bool online() const { return client_ != nullptr && client_->connected(); }
    // Asks it before each attempt to connect, once Wi-Fi is up; while the answer is false, no
    // attempt is made, and it is asked again by each loop().
    void beforeConnect(std::function<bool()> ready) { ready_ = ready; }

    // How readings wait; to be said before the first one. In `bytes` bytes of `memory`, which
    // stays, in place of ESPSEAL_OUTBOX_BYTES of its own:
    void waitIn(uint8_t *memory, size_t bytes) { outbox_.wait_in(memory, bytes); }
    // And when there is no room, the oldest ones give way to a new one; without this the new one is
    // refused.
    void dropOldest(bool drop = true) { outbox_.drop_oldest(drop); }
    // How many have given way since the start.
    uint32_t dropped() const { return outbox_.dropped(); }

  protected:
    // `topics` are what it subscribes to; an entry may be null.
    template <class Client>
    void start(Client &client, const char *const *topics, size_t count)
    {
        client_ = &client;
        topics_ = topics;
        topic_count_ = count;
        client.onConnect([this](bool) {
            wait_ = ESPSEAL_RECONNECT_FIRST_MS;
            for (size_t at = 0; at < topic_count_; at++) {
                if (topics_[at] != nullptr) {
                    client_->subscribe(topics_[at], 1);
                }
            }
            connected();
        });
        client.onMessage([this](const espMqttClientTypes::MessageProperties &, const char *topic,
                                const uint8_t *payload, size_t bytes, size_t index,
                                size_t total) { take(topic, payload, bytes, index, total); });
        client.onPublish([this](uint16_t) {
            if (in_flight_ > 0) {
                in_flight_--;
            }
            last_traffic_ = millis();
        });
    }

    void turn()
    {
        if (client_ == nullptr) {
            return;
        }
        client_->loop();
        if (client_->disconnected() && WiFi.status() == WL_CONNECTED &&
            millis() - tried_at_ >= wait_ && (!ready_ || ready_())) {
            tried_at_ = millis();
            wait_ = wait_ == 0                          ? ESPSEAL_RECONNECT_FIRST_MS
                    : wait_ < ESPSEAL_RECONNECT_LAST_MS ? 2 * wait_
                                                        : wait_;
            client_->connect();
        }
    }

    // False: the client took it not. It has no memory then, so it is tried again a little later.
    bool send(const char *topic, uint8_t qos, bool retain, const uint8_t *payload, size_t bytes)
    {
        if (!online() || client_->publish(topic, qos, retain, payload, bytes) == 0) {
            refused_at_ = millis();
            refused_ = true;
            return false;
        }
        in_flight_ += qos;
        last_traffic_ = millis();
        return true;
    }

    bool may_send()
    {
        if (refused_ && millis() - refused_at_ >= ESPSEAL_RECONNECT_FIRST_MS) {
            refused_ = false;
        }
        return online() && !refused_;
    }

    // The same for a reading: a broker that acknowledges nothing must not fill the heap.
    bool may_publish() { return may_send() && in_flight_ < ESPSEAL_IN_FLIGHT_MAX; }

    virtual void connected() = 0;
    // A whole message, which may be changed in place.
    virtual void arrived(const char *topic, uint8_t *payload, size_t bytes) = 0;

    MqttClient *client_ = nullptr;
    EspsealOutbox outbox_;
    uint32_t last_traffic_ = 0;

  private:
    // The client hands a message over in pieces as they come.
    void take(const char *topic, const uint8_t *payload, size_t bytes, size_t index, size_t total)
    {
        last_traffic_ = millis();
        if (total > sizeof message_ || index + bytes > total) {
            return;
        }
        if (bytes > 0) {
            memcpy(message_ + index, payload, bytes);
        }
        if (index + bytes == total) {
            arrived(topic, message_, total);
        }
    }

    const char *const *topics_ = nullptr;
    size_t topic_count_ = 0;
    std::function<bool()> ready_;
    uint32_t tried_at_ = 0;
    uint32_t wait_ = 0;
    uint32_t refused_at_ = 0;
    bool refused_ = false;
    unsigned in_flight_ = 0;
    uint8_t message_[ESPSEAL_MESSAGE_BYTES_MAX];
};

// What `espseal provision --format arduino` writes to espseal_config.h, of which
// ESPSEAL_PROVISIONED makes one; the strings stay valid.
struct EspsealProvisioned {
    espseal_identity identity;
    const char *up_topic;
    const char *hello_topic;
    const char *down_topic;
    const char *beacon_topic;
};
#define ESPSEAL_PROVISIONED                                                   \
    (EspsealProvisioned{{ESPSEAL_ADDRESS, ESPSEAL_DEVICE_KEY, ESPSEAL_EPOCH}, \
                        ESPSEAL_UP_TOPIC,                                     \
                        ESPSEAL_HELLO_TOPIC,                                  \
                        ESPSEAL_DOWN_TOPIC,                                   \
                        ESPSEAL_BEACON_TOPIC})

// Where a device publishes and listens; the strings stay valid.
struct EspsealTopics {
    const char *up;
    const char *hello;
    const char *down;
    const char *beacon;
};

// What else espseal_config.h may say, if it was included before this header.
#if defined(ESPSEAL_WIFI_SSID)
inline void espsealWiFi()
{
#if !defined(ESPSEAL_WIFI_PASSWORD)
#define ESPSEAL_WIFI_PASSWORD nullptr
#endif
    WiFi.mode(WIFI_STA);
    WiFi.begin(ESPSEAL_WIFI_SSID, ESPSEAL_WIFI_PASSWORD);
}
#endif
#if defined(ESPSEAL_MQTT_HOST)
template <class Client>
void espsealServer(Client &client)
{
#if !defined(ESPSEAL_MQTT_PORT)
#define ESPSEAL_MQTT_PORT 1883
#endif
    client.setServer(ESPSEAL_MQTT_HOST, ESPSEAL_MQTT_PORT);
#if defined(ESPSEAL_MQTT_USER) && defined(ESPSEAL_MQTT_PASSWORD)
    client.setCredentials(ESPSEAL_MQTT_USER, ESPSEAL_MQTT_PASSWORD);
#endif
}
#endif

// A sealed device over MQTT.
class EspsealSealedMqtt : private EspsealLink
{
  public:
    // `version` is the firmware's, at most 32 bytes. Errors: of EspsealSealed::begin.
    template <class Client>
    ESPSEAL_MUST_USE espseal_error begin(Client &client, const EspsealProvisioned &provisioned,
                                         const char *version = "")
    {
        const EspsealTopics topics = {provisioned.up_topic, provisioned.hello_topic,
                                      provisioned.down_topic, provisioned.beacon_topic};
        return begin_with(client, topics, &provisioned.identity, version);
    }

    // With the identity that was written to flash alone (README, Provisioning), and the topics that
    // follow from its address and the name of the fleet. Errors: of EspsealSealed::begin,
    // INVALID_FLEET (more than 32 bytes).
    template <class Client>
    ESPSEAL_MUST_USE espseal_error beginFromFlash(Client &client, const char *fleet,
                                                  const char *version = "")
    {
        if (strlen(fleet) > ESPSEAL_FLEET_BYTES_MAX) {
            return ESPSEAL_ERROR_INVALID_FLEET;
        }
        const EspsealTopics topics = {names_.up, names_.hello, names_.down, names_.beacon};
        const espseal_error error = begin_with(client, topics, nullptr, version);
        if (error == ESPSEAL_OK) {
            name_topics(fleet);
        }
        return error;
    }

    // The same with topics of your own.
    template <class Client>
    ESPSEAL_MUST_USE espseal_error beginFromFlash(Client &client, const EspsealTopics &topics,
                                                  const char *version = "")
    {
        return begin_with(client, topics, nullptr, version);
    }

    // Publishes a reading of at most 255 bytes, as soon as it can; until then it waits in the
    // outbox. Errors: OUTBOX_FULL; NOT_BEGUN, ASLEEP.
    ESPSEAL_MUST_USE espseal_error publish(const void *data, size_t bytes)
    {
        if (client_ == nullptr) {
            return ESPSEAL_ERROR_NOT_BEGUN;
        }
        if (asleep_) {
            return ESPSEAL_ERROR_ASLEEP;
        }
        if (!outbox_.push(data, bytes)) {
            return ESPSEAL_ERROR_OUTBOX_FULL;
        }
        flush();
        return ESPSEAL_OK;
    }
    ESPSEAL_MUST_USE espseal_error publish(const char *text) { return publish(text, strlen(text)); }

    // Calls it for each command that is fresh. To be set before begin.
    void onCommand(EspsealCommand command) { device_.onCommand(command); }

    // Does what is due. In loop(), as often as can be.
    void loop()
    {
        turn();
        if (client_ == nullptr || asleep_) {
            return;
        }
        if (device_.helloDue() && may_send()) {
            uint8_t frame[ESPSEAL_HELLO_FRAME_BYTES_MAX];
            size_t bytes;
            // QoS 0: one that is lost is said again.
            problem_ = device_.hello(frame, &bytes);
            if (problem_ == ESPSEAL_OK) {
                send(hello_topic_, 0, false, frame, bytes);
            }
        }
        flush();
    }

    // Whether all readings are with the broker, and nothing came or went for a moment.
    bool idle() const
    {
        return outbox_.empty() && inFlight() == 0 && online() &&
               millis() - last_traffic_ >= ESPSEAL_QUIET_MS;
    }

    // Deep sleep; GPIO16 must be connected to RST. The counter survives it, what waits in the
    // outbox does not. Comes back only with an error: of EspsealSealed::sleep.
    ESPSEAL_MUST_USE espseal_error sleep(uint64_t microseconds)
    {
        const espseal_error error = device_.sleep();
        if (error == ESPSEAL_OK || error == ESPSEAL_ERROR_STORE_FAILED) {
            asleep_ = true;
            ESP.deepSleep(microseconds);
        }
        return error;
    }

    // The last error of what it does by itself: COUNTER_EXHAUSTED, STORE_FAILED.
    espseal_error problem() const { return problem_; }
    // What was said of the last message on the `down` topic.
    espseal_verdict verdict() const { return verdict_; }
    EspsealSealed &device() { return device_; }
    using EspsealLink::beforeConnect;
    using EspsealLink::dropOldest;
    using EspsealLink::dropped;
    using EspsealLink::inFlight;
    using EspsealLink::online;
    using EspsealLink::waitIn;

  private:
    template <class Client>
    espseal_error begin_with(Client &client, const EspsealTopics &topics,
                             const espseal_identity *identity, const char *version)
    {
        const espseal_error error = device_.begin(identity, version);
        if (error == ESPSEAL_OK) {
            up_topic_ = topics.up;
            hello_topic_ = topics.hello;
            subscribed_[0] = topics.beacon;
            subscribed_[1] = topics.down;
            start(client, subscribed_, 2);
        }
        return error;
    }

    void name_topics(const char *fleet)
    {
        char address[2 * ESPSEAL_ADDRESS_BYTES + 1] = {};
        for (size_t at = 0; at < ESPSEAL_ADDRESS_BYTES; at++) {
            snprintf(address + 2 * at, 3, "%02x", device_.address()[at]);
        }
        snprintf(names_.up, sizeof names_.up, "espseal/%s/up", address);
        snprintf(names_.hello, sizeof names_.hello, "espseal/%s/hello", address);
        snprintf(names_.down, sizeof names_.down, "espseal/%s/down", address);
        snprintf(names_.beacon, sizeof names_.beacon, "espseal/%s/beacon", fleet);
    }

    void flush()
    {
        while (!outbox_.empty() && device_.ready() && may_publish()) {
            uint8_t frame[255 + ESPSEAL_OVERHEAD_BYTES];
            problem_ = device_.seal(outbox_.data(), outbox_.bytes(), frame, sizeof frame);
            // If the client does not take it, it is sealed anew: counters may have gaps.
            if (problem_ != ESPSEAL_OK ||
                !send(up_topic_, 1, false, frame, outbox_.bytes() + ESPSEAL_OVERHEAD_BYTES)) {
                return;
            }
            outbox_.pop();
        }
    }

    void connected() override { device_.connected(); }

    void arrived(const char *topic, uint8_t *payload, size_t bytes) override
    {
        if (strcmp(topic, subscribed_[0]) == 0) {
            device_.heard(payload, bytes);
        } else if (strcmp(topic, subscribed_[1]) == 0) {
            verdict_ = device_.receive(payload, bytes);
            if (device_.replyBytes() > 0) {
                send(up_topic_, 1, false, device_.reply(), device_.replyBytes());
            }
        }
    }

    EspsealSealed device_;
    espseal_error problem_ = ESPSEAL_OK;
    espseal_verdict verdict_ = ESPSEAL_FRESH;
    bool asleep_ = false;
    struct {
        char up[8 + 16 + 4];
        char hello[8 + 16 + 7];
        char down[8 + 16 + 6];
        char beacon[8 + ESPSEAL_FLEET_BYTES_MAX + 8];
    } names_;
    const char *up_topic_ = nullptr;
    const char *hello_topic_ = nullptr;
    const char *subscribed_[2] = {}; // beacon, down
};

// Where a classic node publishes and listens; the strings stay valid.
struct EspsealClassicTopics {
    const char *readings;
    const char *session;
    const char *commands = nullptr;        // with the node's ID; both of these or none
    const char *command_session = nullptr; // the node alone may write there
};

// A classic node over MQTT.
class EspsealClassicMqtt : private EspsealLink
{
  public:
    // Topics, keys and node ID as in the keyring's group. Errors: of EspsealClassic::begin.
    template <class Client>
    ESPSEAL_MUST_USE espseal_error begin(Client &client, const EspsealClassicTopics &topics,
                                         const EspsealClassicKeys &keys, const char *node,
                                         unsigned scheme = ESPSEAL_CLASSIC_HEX,
                                         bool allow_article_keys = false)
    {
        const espseal_error error = device_.begin(keys, node, scheme, allow_article_keys);
        if (error == ESPSEAL_OK) {
            topics_ = topics;
            subscribed_[0] = topics_.session;
            subscribed_[1] = topics_.commands;
            subscribed_[2] = topics_.command_session;
            start(client, subscribed_, 3);
        }
        return error;
    }

    // Publishes a reading of at most 255 bytes as soon as there is a session to seal it under;
    // until then it waits in the outbox. Errors: OUTBOX_FULL, NOT_BEGUN, DATA_ENDS_IN_NUL.
    ESPSEAL_MUST_USE espseal_error publish(const void *data, size_t bytes)
    {
        if (client_ == nullptr) {
            return ESPSEAL_ERROR_NOT_BEGUN;
        }
        if (bytes > 0 && static_cast<const uint8_t *>(data)[bytes - 1] == 0) {
            return ESPSEAL_ERROR_DATA_ENDS_IN_NUL;
        }
        if (!outbox_.push(data, bytes)) {
            return ESPSEAL_ERROR_OUTBOX_FULL;
        }
        flush();
        return ESPSEAL_OK;
    }
    ESPSEAL_MUST_USE espseal_error publish(const char *text) { return publish(text, strlen(text)); }

    // Calls it for each command that is fresh. It needs both topics of commands.
    void onCommand(EspsealCommand command) { device_.onCommand(command); }

    // Does what is due. In loop(), as often as can be.
    void loop()
    {
        turn();
        if (client_ == nullptr) {
            return;
        }
        show();
        flush();
    }

    // Whether all readings are with the broker, and nothing came or went for a moment.
    bool idle() const
    {
        return outbox_.empty() && inFlight() == 0 && online() &&
               millis() - last_traffic_ >= ESPSEAL_QUIET_MS;
    }

    // The last error of what it does by itself: NO_SESSION while it waits for a host, or none.
    espseal_error problem() const { return problem_; }
    // What was said of the last message on the command topic.
    espseal_verdict verdict() const { return verdict_; }
    EspsealClassic &device() { return device_; }
    using EspsealLink::beforeConnect;
    using EspsealLink::dropOldest;
    using EspsealLink::dropped;
    using EspsealLink::inFlight;
    using EspsealLink::online;
    using EspsealLink::waitIn;

  private:
    void flush()
    {
        while (!outbox_.empty() && device_.ready() && may_publish()) {
            uint8_t frame[ESPSEAL_CLASSIC_READING_FRAME_BYTES];
            size_t bytes;
            problem_ = device_.seal(outbox_.data(), outbox_.bytes(), frame, sizeof frame, &bytes);
            if (problem_ != ESPSEAL_OK || !send(topics_.readings, 1, false, frame, bytes)) {
                return;
            }
            outbox_.pop();
        }
    }

    // Keeps the command session on its topic: anew once it is used or old, or when someone wrote
    // over it, at most every 100 ms.
    void show()
    {
        if (topics_.command_session == nullptr || !may_send() || millis() - shown_at_ < 100) {
            return;
        }
        (void)device_.ready();
        const uint8_t *const session = device_.shown();
        if (!shown_ || memcmp(session, session_, sizeof session_) != 0) {
            memcpy(session_, session, sizeof session_);
            shown_at_ = millis();
            shown_ = send(topics_.command_session, 1, true, session_, sizeof session_);
        }
    }

    void connected() override { shown_ = false; }

    void arrived(const char *topic, uint8_t *payload, size_t bytes) override
    {
        if (strcmp(topic, topics_.session) == 0) {
            (void)device_.ready();
            device_.heard(payload, bytes);
        } else if (topics_.commands != nullptr && strcmp(topic, topics_.commands) == 0) {
            verdict_ = device_.receive(payload, bytes);
        } else if (bytes != sizeof session_ || memcmp(payload, session_, bytes) != 0) {
            shown_ = false;
        }
    }

    EspsealClassic device_;
    espseal_error problem_ = ESPSEAL_OK;
    espseal_verdict verdict_ = ESPSEAL_FRESH;
    EspsealClassicTopics topics_ = {};
    const char *subscribed_[3] = {};
    uint8_t session_[ESPSEAL_CLASSIC_SESSION_DIGITS];
    uint32_t shown_at_ = 0;
    bool shown_ = false;
};
