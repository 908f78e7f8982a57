/* fuzz COUNT: random and damaged frames of both formats. No answer but a verdict, no byte out of
 * bounds (each lies in a block of its own size, under the sanitizers), and nothing believed that
 * was not sealed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "espseal/bytes.h"
#include "espseal/classic.h"
#include "espseal/detect.h"
#include "world.h"

static uint64_t state = 0x9e3779b97f4a7c15;
static unsigned verdicts[ESPSEAL_FRESH + 1];
static world w;
static espseal_classic_keys classic_keys[3];

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % below;
}

static void give_up(const char *why)
{
    printf("FAILED: %s\n", why);
    exit(1);
}

static void damage(uint8_t *frame, size_t bytes)
{
    /* One bit, or three of one byte: never back to what it was. */
    frame[draw((uint32_t)bytes)] ^= (uint8_t)((draw(2) ? 1U : 0x31U) << draw(3));
}

static bool wiped(const uint8_t *bytes, size_t count)
{
    for (; count > 0; count--) {
        if (*bytes++ != 0) {
            return false;
        }
    }
    return true;
}

/* A downlink of the right form, whose tag is not right. */
static size_t almost_sealed(uint8_t *frame)
{
    char data[200];
    const size_t bytes = draw(sizeof data);
    memset(data, (int)draw(256), sizeof data);
    host_seals(&w, draw(2) ? ESPSEAL_DATA : ESPSEAL_CONTROL, w.session, data, bytes);
    memcpy(frame, w.frame, w.frame_bytes);
    damage(frame + ESPSEAL_HEADER_BYTES, w.frame_bytes - ESPSEAL_HEADER_BYTES);
    return w.frame_bytes;
}

static size_t almost_classic(uint8_t *frame, const espseal_classic_keys *keys)
{
    uint8_t data[100], iv[16];
    const espseal_classic_reading reading = {
        "11242238", 8, NULL, 0, data, draw(100), (const uint8_t *)"session", 7};
    size_t bytes;
    memset(data, 1 + (int)draw(255), sizeof data);
    memset(iv, (int)draw(256), sizeof iv);
    if (espseal_danger_classic_seal_with_iv(keys, &reading, iv, frame, 2048, &bytes) !=
        ESPSEAL_OK) {
        give_up("cannot seal");
    }
    damage(frame, bytes);
    return bytes;
}

static size_t random_bytes(uint8_t *frame)
{
    static const char digits[] = "0123456789abcdefABCDEF,,,Q9-_ ";
    const size_t bytes = draw(10) == 0 ? draw(2200) : draw(160);
    const unsigned text = draw(3);
    size_t at;
    for (at = 0; at < bytes; at++) {
        frame[at] = text == 0 ? (uint8_t)digits[draw(sizeof digits - 1)] : (uint8_t)draw(256);
    }
    if (text == 1 && bytes > 1) {
        frame[0] = ESPSEAL_MAGIC;
        frame[1] = (uint8_t)draw(16);
        if (bytes > 12 && draw(2)) {
            memcpy(frame + 2, "\0\0", 2);
            memcpy(frame + 4, w.identity.address, 8);
        }
    }
    return bytes;
}

static void take_sealed(const uint8_t *given, size_t bytes)
{
    uint8_t *const frame = malloc(bytes + (bytes == 0));
    const uint64_t head = w.device.newest->head;
    espseal_verdict verdict;
    memcpy(frame, given, bytes);
    verdict = espseal_device_receive(&w.device, frame, bytes, &w.received);
    verdicts[verdict]++;
    if (verdict >= ESPSEAL_STALE_SESSION || w.received.command != NULL ||
        w.received.reply_bytes != 0 || head != w.device.newest->head) {
        give_up("the device believed it");
    }
    if (verdict == ESPSEAL_FORGED &&
        !wiped(frame + ESPSEAL_OVERHEAD_BYTES, bytes - ESPSEAL_OVERHEAD_BYTES)) {
        give_up("plaintext is left");
    }
    (void)espseal_device_heard_beacon(&w.device, frame, bytes);
    free(frame);
}

static void take_armored(const uint8_t *given, size_t bytes)
{
    char *const text = malloc(bytes + (bytes == 0));
    uint8_t *const frame = malloc(bytes + 1);
    char *const again = malloc(bytes + 4);
    size_t frame_bytes;
    memcpy(text, given, bytes);
    if (espseal_disarm(text, bytes, frame, &frame_bytes) == ESPSEAL_NO_PROBLEM &&
        (espseal_armor(frame, frame_bytes, again) != bytes || memcmp(again, text, bytes) != 0)) {
        give_up("one frame with two texts");
    }
    (void)espseal_detect((const uint8_t *)text, bytes, true);
    free(text);
    free(frame);
    free(again);
}

static void take_classic(const uint8_t *given, size_t bytes, const espseal_classic_keys *keys)
{
    uint8_t *const frame = malloc(bytes + (bytes == 0));
    espseal_classic_message message;
    espseal_verdict verdict = ESPSEAL_MALFORMED;
    memcpy(frame, given, bytes);
    if (espseal_classic_parse(frame, bytes, ESPSEAL_CLASSIC_PORT, &message) == ESPSEAL_NO_PROBLEM) {
        verdict = espseal_classic_open(keys, &message, (const uint8_t *)"another", 1, 7, NULL, 0);
    }
    verdicts[verdict]++;
    /* A damaged comma or the case of a digit changes nothing that was sealed, but the session does.
     */
    if (verdict != ESPSEAL_MALFORMED && verdict != ESPSEAL_FORGED && !message.port) {
        give_up("the opener believed it");
    }
    free(frame);
}

int main(int count, char **arguments)
{
    static const uint8_t key[] = "0123456789abcdef", other[] = "fedcba9876543210";
    const espseal_classic_secrets secrets = {key, other, other, key, 16, 16, 16};
    const unsigned schemes[] = {0, ESPSEAL_CLASSIC_RAW | ESPSEAL_CLASSIC_BINARY_DATA,
                                ESPSEAL_CLASSIC_PORT};
    espseal_classic_keys sealing[3];
    const long frames = count > 1 ? atol(arguments[1]) : 10000;
    long at;
    world_init(&w);
    if (!meet(&w)) {
        give_up("no meeting");
    }
    for (at = 0; at < 3; at++) {
        if (espseal_classic_keys_init(&classic_keys[at], &secrets, schemes[at], true) !=
                ESPSEAL_OK ||
            espseal_classic_keys_init(&sealing[at], &secrets, schemes[at], false) != ESPSEAL_OK) {
            give_up("no keys");
        }
    }
    for (at = 0; at < frames; at++) {
        static uint8_t frame[2300];
        const unsigned which = draw(3);
        switch (draw(6)) {
        case 0:
            take_sealed(frame, almost_sealed(frame));
            break;
        case 1:
            take_classic(frame, almost_classic(frame, &sealing[which]), &classic_keys[which]);
            break;
        case 2:
            take_classic(frame, random_bytes(frame), &classic_keys[which]);
            break;
        case 3:
            take_armored(frame, random_bytes(frame));
            break;
        default:
            take_sealed(frame, random_bytes(frame));
        }
    }
    for (at = 0; at <= ESPSEAL_FRESH; at++) {
        if (verdicts[at] > 0) {
            printf("%s %u\n", espseal_verdict_word((espseal_verdict)at), verdicts[at]);
        }
    }
    /* The device is none the worse for it. */
    if (host_commands(&w, "on") != ESPSEAL_FRESH || !acknowledged(&w, w.session)) {
        give_up("the device takes no command any more");
    }
    printf("ok %ld frames\n", frames);
    return 0;
}
