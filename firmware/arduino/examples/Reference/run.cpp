#include "run.h"

#include <Arduino.h>
#include <ESP8266WiFi.h>

#include "boot.h"
#include "sensor.h"
#include "station.h"
#include "transport.h"

#ifndef RELAY_PIN
#define RELAY_PIN 5 // D1 on a NodeMCU or a D1 mini
#endif
// What waits while there is no broker: forty readings of the initial kind.
#ifndef OUTBOX_BYTES
#define OUTBOX_BYTES 2048
#endif

namespace
{

constexpr uint32_t kFarewellMs = 3000;
constexpr uint32_t kIntervalMax = 86400;
constexpr uint8_t kModeRun = static_cast<uint8_t>(Mode::kRun);
constexpr uint8_t kModeConfigure = static_cast<uint8_t>(Mode::kConfigure);

class Run
{
  public:
    bool begin(const Settings &settings, const char *version);
    bool loop();

  private:
    bool name_topics(const Settings &settings);
    void obey(const char *command, size_t bytes);
    void set_relay(bool on);
    void measure();
    void look_at_mode();
    void leave();
    void look_at_problem();

    EspsealSealedMqtt device_;
    Transport transport_;
    uint8_t outbox_[OUTBOX_BYTES];
    struct {
        char up[kTopicBytesMax + 1];
        char hello[kTopicBytesMax + 1];
        char down[kTopicBytesMax + 1];
        char beacon[kTopicBytesMax + 1];
    } topics_;
    uint32_t interval_ = 0; // in s
    uint32_t measured_at_ = 0;
    bool due_ = true;
    bool relay_ = false;
    bool well_ = false;
    espseal_error problem_ = ESPSEAL_OK;
    uint8_t mode_ = 0;
    bool leaving_ = false;
    uint32_t leaving_at_ = 0;
};

Run *run = nullptr;

bool Run::begin(const Settings &settings, const char *version)
{
    pinMode(RELAY_PIN, OUTPUT);
    digitalWrite(RELAY_PIN, LOW);
    sensor_begin();
    interval_ = settings.number("interval");
    if (!name_topics(settings)) {
        Serial.println(F("A topic is too long with the address or the MAC put in: shorten it."));
        return false;
    }
    const EspsealTopics topics = {topics_.up, topics_.hello, topics_.down, topics_.beacon};
    device_.waitIn(outbox_, sizeof outbox_);
    device_.dropOldest();
    device_.onCommand([this](const uint8_t *command, size_t bytes) {
        obey(reinterpret_cast<const char *>(command), bytes);
    });
    const espseal_error error = transport_.begin(device_, settings, topics, version);
    if (error != ESPSEAL_OK) {
        Serial.printf_P(PSTR("The device cannot begin: %s. Provision it again.\n"),
                        espseal_error_word(error));
        return false;
    }
    mode_ = device_.device().mode();
    Serial.printf_P(PSTR("Device %s, address %s, epoch %u; a reading every %u s.\n"),
                    settings.get("name"), settings.get("address"), device_.device().epoch(),
                    static_cast<unsigned>(interval_));
    Serial.printf_P(PSTR("Topics: readings to %s, hellos to %s, commands from %s, beacon from "
                         "%s.\n"),
                    topics_.up, topics_.hello, topics_.down, topics_.beacon);
    station_begin(settings);
    return true;
}

bool Run::name_topics(const Settings &settings)
{
    uint8_t mac[6];
    WiFi.macAddress(mac);
    return settings.topic("up_topic", mac, topics_.up, sizeof topics_.up) &&
           settings.topic("hello_topic", mac, topics_.hello, sizeof topics_.hello) &&
           settings.topic("down_topic", mac, topics_.down, sizeof topics_.down) &&
           settings.topic("beacon_topic", mac, topics_.beacon, sizeof topics_.beacon);
}

bool Run::loop()
{
    (void)station_loop();
    device_.loop();
    transport_.look();
    if (!well_ && device_.online()) {
        well_ = true;
        boot_well();
    }
    if (millis() - measured_at_ >= interval_ * 1000) {
        due_ = true;
    }
    if (due_ && !leaving_) {
        measure();
    }
    look_at_problem();
    look_at_mode();
    return device_.online();
}

// In the callback only what is short: it has little of the stack.
void Run::obey(const char *command, size_t bytes)
{
    char text[24];
    const size_t length = bytes < sizeof text ? bytes : 0;
    memcpy(text, command, length);
    text[length] = '\0';
    char *end = text;
    const unsigned long seconds =
        strncmp_P(text, PSTR("interval "), 9) == 0 && text[9] >= '0' && text[9] <= '9'
            ? strtoul(text + 9, &end, 10)
            : 0;
    if (strlen(text) != bytes) {
        Serial.println(F("A command came that means nothing to this sketch."));
    } else if (strcmp_P(text, PSTR("on")) == 0 || strcmp_P(text, PSTR("off")) == 0) {
        set_relay(text[1] == 'n');
    } else if (strcmp_P(text, PSTR("read")) == 0) {
        due_ = true;
    } else if (seconds > 0 && seconds <= kIntervalMax && *end == '\0') {
        interval_ = static_cast<uint32_t>(seconds);
        Serial.printf_P(PSTR("A reading every %lu s, until the next start.\n"), seconds);
    } else {
        Serial.println(F("A command came that means nothing to this sketch."));
    }
}

void Run::set_relay(bool on)
{
    relay_ = on;
    digitalWrite(RELAY_PIN, on ? HIGH : LOW);
    due_ = true;
}

void Run::measure()
{
    // A reading has at most 255 bytes.
    char text[200], measured[96];
    due_ = false;
    measured_at_ = millis();
    measured[0] = '\0';
    const char *const comma = sensor_read(measured, sizeof measured) > 0 ? "," : "";
    int length =
        snprintf_P(text, sizeof text, PSTR("{%s%s\"relay\":\"%s\",\"uptime\":%u"), measured, comma,
                   relay_ ? "on" : "off", static_cast<unsigned>(millis() / 1000));
    if (device_.dropped() > 0) {
        length += snprintf_P(text + length, sizeof text - static_cast<size_t>(length),
                             PSTR(",\"dropped\":%u"), static_cast<unsigned>(device_.dropped()));
    }
    text[length] = '}';
    const uint32_t dropped = device_.dropped();
    const espseal_error error = device_.publish(text, static_cast<size_t>(length) + 1);
    if (error != ESPSEAL_OK) {
        Serial.printf_P(PSTR("Not published: %s.\n"), espseal_error_word(error));
    } else if (device_.dropped() != dropped) {
        Serial.printf_P(PSTR("No room for more readings: %u of the oldest are dropped so far.\n"),
                        static_cast<unsigned>(device_.dropped()));
    }
}

void Run::look_at_problem()
{
    const espseal_error problem = device_.problem();
    if (problem != problem_) {
        problem_ = problem;
        if (problem != ESPSEAL_OK) {
            Serial.printf_P(PSTR("Nothing can be sealed: %s. The library's README says why.\n"),
                            espseal_error_word(problem));
        }
    }
}

// The host has set another mode: it is stored, the acknowledgement goes out, and it starts anew.
void Run::look_at_mode()
{
    const uint8_t mode = device_.device().mode();
    if (mode != mode_ && !leaving_) {
        mode_ = mode;
        if (mode == kModeConfigure) {
            leave();
        } else if (mode != kModeRun) {
            Serial.println(F("The host set a mode that means nothing to this sketch."));
        }
    }
    if (leaving_ && ((device_.inFlight() == 0 && millis() - leaving_at_ > ESPSEAL_QUIET_MS) ||
                     millis() - leaving_at_ > kFarewellMs)) {
        boot_restart();
    }
}

void Run::leave()
{
    leaving_ = provision_set_mode(kModeConfigure);
    leaving_at_ = millis();
    Serial.println(leaving_ ? F("The host wants to configure: it restarts into that.")
                            : F("The host wants to configure, but the flash cannot be written."));
}

} // namespace

bool run_begin(const Settings &settings, const char *version)
{
    run = new Run;
    return run->begin(settings, version);
}

bool run_loop()
{
    return run->loop();
}
