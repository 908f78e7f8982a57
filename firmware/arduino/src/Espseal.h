// Seals readings and opens commands on an ESP8266: the payloads of MQTT messages, whoever runs the
// broker. This header knows no transport; EspsealMqtt.h does it all over MQTT.
//
//   EspsealSealed   the sealed frame (src/SEALED.md): a key of its own, a counter, a ratchet
//   EspsealClassic  the classic frame (src/CLASSIC.md): what the article's receivers open
//
// Three calls: begin, seal, and a callback for commands. Every error is one of espseal_error, and
// espseal_error_word() its word; every verdict one of espseal_verdict (espseal/words.h). What a
// frame or a reading may measure stands in espseal/config.h, in bytes.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <functional>

#include "espseal/classic_device.h"
#include "espseal/device.h"

// The board that the sketch runs on: random numbers, clock, flash, RTC memory.
const espseal_platform &espseal_esp8266();

// What to do with a command: `command` points to `bytes` bytes, without a NUL at their end, which
// are valid until the function returns.
using EspsealCommand = std::function<void(const uint8_t *command, size_t bytes)>;

// A device that seals. One for each sketch: it owns two sectors of flash.
class EspsealSealed
{
  public:
    // Begins with the identity in flash, or, if there is none or another, with this one. `version`
    // is the firmware's, at most 32 bytes, for the host's list. Errors: NO_IDENTITY,
    // PLACEHOLDER_KEYS (a key of zeros), STORE_FAILED: flash fails, or its layout has no two
    // sectors to spare.
    ESPSEAL_MUST_USE espseal_error begin(const espseal_identity *identity = nullptr,
                                         const char *version = "",
                                         const espseal_platform &platform = espseal_esp8266());

    // Seals a reading into `frame`: bytes + 36 bytes. Errors: FRAME_TOO_LONG if `capacity` is less
    // or the frame is longer than 16384 bytes; NOT_BEGUN, ASLEEP, COUNTER_EXHAUSTED, STORE_FAILED.
    ESPSEAL_MUST_USE espseal_error seal(const void *data, size_t bytes, uint8_t *frame,
                                        size_t capacity);

    // Calls it for each command that is fresh. Set it before begin: only who listens says hello
    // every 10 minutes, which commands need.
    void onCommand(EspsealCommand command);

    // What a transport tells it: that there is a connection; what came on the beacon topic; what
    // came on the `down` topic, which is opened in place. If `reply_bytes` is not 0 then, `reply`
    // is to be published on the `up` topic.
    void connected();
    bool heard(const uint8_t *payload, size_t bytes);
    espseal_verdict receive(uint8_t *payload, size_t bytes);
    const uint8_t *reply() const { return received_.reply; }
    size_t replyBytes() const { return received_.reply_bytes; }

    // Whether a hello is due, to be published on the `hello` topic, and what it is: `frame` has
    // room for ESPSEAL_HELLO_FRAME_BYTES_MAX. To be called every few milliseconds.
    bool helloDue();
    ESPSEAL_MUST_USE espseal_error hello(uint8_t *frame, size_t *bytes);

    // Whether readings may go out yet: the host has welcomed the device, or was silent for 10 s.
    bool ready() const;

    // Hands the counter to the next wake from deep sleep. Nothing is sealed after it. Errors:
    // NOT_BEGUN, ASLEEP, STORE_FAILED: the next wake then goes on above all counters used.
    ESPSEAL_MUST_USE espseal_error sleep();

    const uint8_t *address() const { return device_.store.record.identity.address; }
    uint16_t epoch() const { return device_.store.record.identity.epoch; }
    // What the host set it to, 0 at first; what it means is the sketch's affair.
    uint8_t mode() const { return device_.store.record.mode; }

    // There is one counter, so there is one of it.
    EspsealSealed() = default;
    EspsealSealed(const EspsealSealed &) = delete;
    EspsealSealed &operator=(const EspsealSealed &) = delete;

  private:
    espseal_device device_ = {};
    espseal_received received_ = {};
    const char *version_ = "";
    EspsealCommand command_;
};

// The keys of a classic group, as the keyring has them in text.
struct EspsealClassicKeys {
    const char *iv_key;     // 16, 24 or 32 characters
    const char *data_key;   // 16, 24 or 32 characters
    const char *static_iv;  // 16 characters
    const char *passphrase; // 1 character or more
};

// A classic node.
class EspsealClassic
{
  public:
    // `node` is the node ID, 1 to 15 characters, that stays valid. `scheme` is a sum of
    // ESPSEAL_CLASSIC_... (espseal/classic.h), 0 for the article's own. Errors: WRONG_KEY_LENGTH,
    // INVALID_NODE_ID, ARTICLE_KEYS, PLACEHOLDER_KEYS.
    ESPSEAL_MUST_USE espseal_error begin(const EspsealClassicKeys &keys, const char *node,
                                         unsigned scheme = ESPSEAL_CLASSIC_HEX,
                                         bool allow_article_keys = false,
                                         const espseal_platform &platform = espseal_esp8266());

    // Seals a reading into `frame`: 107 bytes and twice the data, which is rounded up to 16 bytes.
    // Errors: NO_SESSION, DATA_ENDS_IN_NUL, FRAME_TOO_LONG if `capacity` is less or the frame is
    // longer than 2048 bytes. Once the radio is up: before that it has no random numbers.
    ESPSEAL_MUST_USE espseal_error seal(const void *data, size_t bytes, uint8_t *frame,
                                        size_t capacity, size_t *frame_bytes);

    // Calls it for each command that is fresh.
    void onCommand(EspsealCommand command);

    // What came on the session topic, and on the command topic, which is opened in place.
    bool heard(const uint8_t *payload, size_t bytes);
    espseal_verdict receive(uint8_t *payload, size_t bytes);

    // Whether there is a session to seal under. To be called every few milliseconds.
    bool ready();

    // The session to show, retained, on the command-session topic: 32 characters.
    const uint8_t *shown();

  private:
    espseal_classic_device device_ = {};
    EspsealCommand command_;
};
