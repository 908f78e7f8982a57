#include "espMqttClient.h"

#include <unistd.h>

namespace
{

enum { kConnack = 2, kPublish = 3, kPuback = 4 };
constexpr unsigned long kKeepAlive = 10000, kSilence = 2 * kKeepAlive;
// The real client's receive buffer is larger; a small one shows that pieces are put together.
constexpr size_t kPiece = 48;

std::string u16(size_t value)
{
    return {static_cast<char>(value >> 8), static_cast<char>(value & 255)};
}

std::string text(const std::string &value)
{
    return u16(value.size()) + value;
}

std::string packet(int first, const std::string &body)
{
    std::string head(1, static_cast<char>(first));
    size_t left = body.size();
    do {
        head += static_cast<char>((left & 127) | (left > 127 ? 128 : 0));
        left >>= 7;
    } while (left > 0);
    return head + body;
}

} // namespace

bool MqttClient::connected() const
{
    return state_ == State::kOnline;
}
bool MqttClient::disconnected() const
{
    return state_ == State::kOffline;
}

uint16_t MqttClient::next_id()
{
    last_id_ = last_id_ == 65535 ? 1 : last_id_ + 1;
    return last_id_;
}

// The next turn closes the connection, so that until then its error can be asked for.
void MqttClient::drop(espMqttClientTypes::DisconnectReason reason)
{
    received_.clear();
    reason_ = reason;
    state_ = State::kStopping;
}

void MqttClient::write(const std::string &bytes)
{
    if (transport_->write(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()) !=
        bytes.size()) {
        drop();
    }
    sent_at_ = millis();
}

bool MqttClient::connect()
{
    if (state_ != State::kOffline) {
        return false;
    }
    state_ = State::kCalling;
    return true;
}

bool MqttClient::disconnect(bool)
{
    if (state_ == State::kOnline) {
        write(packet(0xe0, ""));
    }
    drop();
    return true;
}

size_t MqttClient::queueSize()
{
    return outbox_.size();
}

uint16_t MqttClient::subscribe(const char *topic, uint8_t qos)
{
    if (state_ != State::kOnline) {
        return 0;
    }
    const uint16_t id = next_id();
    write(packet(0x82, u16(id) + text(topic) + static_cast<char>(qos)));
    return id;
}

uint16_t MqttClient::publish(const char *topic, uint8_t qos, bool retain, const uint8_t *payload,
                             size_t length)
{
    const uint16_t id = qos > 0 ? next_id() : 0;
    const std::string body = text(topic) + (qos > 0 ? u16(id) : "") +
                             std::string(reinterpret_cast<const char *>(payload), length);
    const std::string bytes = packet(0x30 | qos << 1 | (retain ? 1 : 0), body);
    if (qos > 0) {
        outbox_.push_back({bytes, id});
    }
    if (state_ == State::kOnline) {
        write(bytes);
    }
    return qos > 0 ? id : 1;
}

uint16_t MqttClient::publish(const char *topic, uint8_t qos, bool retain, const char *payload)
{
    return publish(topic, qos, retain, reinterpret_cast<const uint8_t *>(payload), strlen(payload));
}

void MqttClient::hand_over(uint8_t flags, const uint8_t *body, size_t bytes)
{
    const size_t topic_bytes = static_cast<size_t>(body[0] << 8 | body[1]);
    const std::string topic(reinterpret_cast<const char *>(body) + 2, topic_bytes);
    const uint8_t qos = flags >> 1 & 3;
    const uint8_t *payload = body + 2 + topic_bytes;
    uint16_t id = 0;
    if (qos > 0) {
        id = static_cast<uint16_t>(payload[0] << 8 | payload[1]);
        payload += 2;
    }
    const size_t total = bytes - static_cast<size_t>(payload - body);
    const espMqttClientTypes::MessageProperties properties = {qos, (flags & 8) != 0,
                                                              (flags & 1) != 0, id};
    size_t index = 0;
    do {
        const size_t piece = total - index < kPiece ? total - index : kPiece;
        if (on_message_) {
            on_message_(properties, topic.c_str(), payload + index, piece, index, total);
        }
        index += piece;
    } while (index < total);
    if (qos > 0) {
        write(packet(0x40, u16(id)));
    }
}

void MqttClient::take(uint8_t type, const uint8_t *body, size_t bytes)
{
    switch (type >> 4) {
    case kConnack:
        if (bytes < 2 || body[1] != 0) {
            drop(static_cast<espMqttClientTypes::DisconnectReason>(bytes < 2 ? 0 : body[1]));
            return;
        }
        state_ = State::kOnline;
        for (Packet &each : outbox_) {
            std::string again = each.bytes;
            again[0] = static_cast<char>(again[0] | 8);
            write(again);
        }
        if (on_connect_) {
            on_connect_(body[0] & 1);
        }
        return;
    case kPublish:
        hand_over(type & 15, body, bytes);
        return;
    case kPuback: {
        const uint16_t id = static_cast<uint16_t>(body[0] << 8 | body[1]);
        for (auto each = outbox_.begin(); each != outbox_.end(); ++each) {
            if (each->id == id) {
                outbox_.erase(each);
                if (on_publish_) {
                    on_publish_(id);
                }
                return;
            }
        }
        return;
    }
    default:
        return;
    }
}

void MqttClient::loop()
{
    switch (state_) {
    case State::kOffline:
        return;
    case State::kCalling:
        if (transport_->connect(host_.c_str(), port_) == 0) {
            drop();
            return;
        }
        transport_->setNoDelay(true);
        state_ = State::kConnecting;
        heard_at_ = millis();
        introduce();
        return;
    case State::kConnecting:
    case State::kOnline:
        converse();
        return;
    case State::kStopping:
        transport_->stop();
        state_ = State::kLeaving;
        return;
    case State::kLeaving:
        state_ = State::kOffline;
        if (on_disconnect_) {
            on_disconnect_(reason_);
        }
        return;
    }
}

void MqttClient::introduce()
{
    const int flags = (clean_ ? 2 : 0) | (user_.empty() ? 0 : 128 | 64);
    std::string body = text("MQTT") + "\x04" + static_cast<char>(flags) + u16(15);
    body += text(client_id_.empty() ? "esp8266" + std::to_string(getpid()) : client_id_);
    if (!user_.empty()) {
        body += text(user_) + text(password_);
    }
    write(packet(0x10, body));
}

void MqttClient::converse()
{
    if (transport_->connected() == 0 || millis() - heard_at_ > kSilence) {
        drop();
        return;
    }
    uint8_t bytes[512];
    const int count = transport_->read(bytes, sizeof bytes);
    if (count > 0) {
        heard_at_ = millis();
        received_.append(reinterpret_cast<const char *>(bytes), static_cast<size_t>(count));
    }
    read();
    if (state_ == State::kOnline && millis() - sent_at_ > kKeepAlive) {
        write(packet(0xc0, ""));
    }
}

void MqttClient::read()
{
    for (;;) {
        size_t length = 0, at = 1;
        int shift = 0;
        do {
            if (at >= received_.size()) {
                return;
            }
            length |= static_cast<size_t>(received_[at] & 127) << shift;
            shift += 7;
        } while (received_[at++] & 128);
        if (received_.size() < at + length) {
            return;
        }
        const std::string whole = received_.substr(0, at + length);
        received_.erase(0, at + length);
        take(static_cast<uint8_t>(whole[0]), reinterpret_cast<const uint8_t *>(whole.data()) + at,
             length);
    }
}
