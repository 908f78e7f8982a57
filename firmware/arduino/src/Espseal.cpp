#include "Espseal.h"

#include <string.h>

#include "espseal/bytes.h"

espseal_error EspsealSealed::begin(const espseal_identity *identity, const char *version,
                                   const espseal_platform &platform)
{
    static const uint8_t placeholder[ESPSEAL_DEVICE_KEY_BYTES] = {};
    if (identity != nullptr && espseal_equal(identity->key, placeholder, sizeof placeholder)) {
        return ESPSEAL_ERROR_PLACEHOLDER_KEYS;
    }
    version_ = version;
    const espseal_error error = espseal_device_begin(&device_, &platform, identity);
    device_.listening = static_cast<bool>(command_);
    return error;
}

espseal_error EspsealSealed::seal(const void *data, size_t bytes, uint8_t *frame, size_t capacity)
{
    return espseal_device_seal(&device_, data, bytes, frame, capacity);
}

void EspsealSealed::onCommand(EspsealCommand command)
{
    command_ = command;
    device_.listening = static_cast<bool>(command_);
}

void EspsealSealed::connected()
{
    (void)espseal_device_hello_due(&device_);
    espseal_device_connected(&device_);
}

bool EspsealSealed::heard(const uint8_t *payload, size_t bytes)
{
    return espseal_device_heard_beacon(&device_, payload, bytes);
}

espseal_verdict EspsealSealed::receive(uint8_t *payload, size_t bytes)
{
    if (bytes == 0) {
        received_.reply_bytes = 0;
        espseal_device_asked(&device_);
        return ESPSEAL_MALFORMED;
    }
    const espseal_verdict verdict = espseal_device_receive(&device_, payload, bytes, &received_);
    if (received_.command != nullptr && command_) {
        command_(received_.command, received_.command_bytes);
    }
    return verdict;
}

bool EspsealSealed::helloDue()
{
    return device_.begun && espseal_device_hello_due(&device_);
}

espseal_error EspsealSealed::hello(uint8_t *frame, size_t *bytes)
{
    return espseal_device_hello(&device_, version_, frame, bytes);
}

bool EspsealSealed::ready() const
{
    return espseal_device_ready(&device_);
}

espseal_error EspsealSealed::sleep()
{
    return espseal_device_sleep(&device_);
}

namespace
{

const uint8_t *as_bytes(const char *text)
{
    return reinterpret_cast<const uint8_t *>(text);
}

} // namespace

espseal_error EspsealClassic::begin(const EspsealClassicKeys &keys, const char *node,
                                    unsigned scheme, bool allow_article_keys,
                                    const espseal_platform &platform)
{
    const espseal_classic_secrets secrets = {as_bytes(keys.iv_key),    as_bytes(keys.data_key),
                                             as_bytes(keys.static_iv), as_bytes(keys.passphrase),
                                             strlen(keys.iv_key),      strlen(keys.data_key),
                                             strlen(keys.passphrase)};
    if (strlen(keys.static_iv) != sizeof device_.sealing.static_iv) {
        return ESPSEAL_ERROR_WRONG_KEY_LENGTH;
    }
    return espseal_classic_device_begin(&device_, &platform, &secrets, scheme, node,
                                        allow_article_keys);
}

espseal_error EspsealClassic::seal(const void *data, size_t bytes, uint8_t *frame, size_t capacity,
                                   size_t *frame_bytes)
{
    return espseal_classic_device_seal(&device_, data, bytes, frame, capacity, frame_bytes);
}

void EspsealClassic::onCommand(EspsealCommand command)
{
    command_ = command;
}

bool EspsealClassic::heard(const uint8_t *payload, size_t bytes)
{
    return espseal_classic_device_heard(&device_, payload, bytes);
}

espseal_verdict EspsealClassic::receive(uint8_t *payload, size_t bytes)
{
    espseal_classic_message message;
    const espseal_verdict verdict =
        espseal_classic_device_receive(&device_, payload, bytes, &message);
    if (verdict == ESPSEAL_FRESH && command_) {
        command_(message.data, message.data_bytes);
    }
    return verdict;
}

bool EspsealClassic::ready()
{
    return espseal_classic_device_ready(&device_);
}

const uint8_t *EspsealClassic::shown()
{
    return espseal_classic_device_shown(&device_);
}
