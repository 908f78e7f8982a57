#include "world.h"

#include <string.h>

#include "espseal/bytes.h"
#include "expand.h"

void world_init(world *of)
{
    static const espseal_identity identity = {
        {0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77}, {'k', 'e', 'y'}, 0};
    memset(of, 0, sizeof *of);
    sim_init(&of->board);
    of->identity = identity;
    memcpy(of->key, identity.key, 32);
    of->board.time = 0xfffff000; /* the clock wraps around soon */
    (void)!world_reset(of);
}

espseal_error world_reset(world *of)
{
    return espseal_device_begin(&of->device, &of->board.platform, &of->identity);
}

bool host_opens(world *of, uint8_t *frame, size_t bytes, const uint8_t *session,
                const uint8_t **plaintext, size_t *plaintext_bytes)
{
    espseal_sealed_keys keys;
    espseal_header header;
    espseal_sealed_keys_init(&keys, of->key, false);
    espseal_sealed_bind(&keys, session);
    if (espseal_sealed_parse(frame, bytes, &header) != ESPSEAL_NO_PROBLEM ||
        header.epoch != of->epoch || !espseal_sealed_open(&keys, frame, bytes)) {
        return false;
    }
    if (header.counter > of->up) {
        of->up = header.counter;
    }
    *plaintext = frame + ESPSEAL_OVERHEAD_BYTES;
    *plaintext_bytes = bytes - ESPSEAL_OVERHEAD_BYTES;
    return true;
}

void host_beacon(world *of, uint8_t first)
{
    uint8_t digits[32];
    of->beacon[0] = first;
    espseal_hex(digits, of->beacon, 16, 'a');
    (void)espseal_device_heard_beacon(&of->device, digits, sizeof digits);
}

bool host_takes_hello(world *of)
{
    uint8_t frame[ESPSEAL_HELLO_FRAME_BYTES_MAX];
    const uint8_t *plaintext;
    size_t bytes;
    if (espseal_device_hello(&of->device, "1.0", frame, &bytes) != ESPSEAL_OK ||
        !host_opens(of, frame, bytes, (frame[1] & ESPSEAL_BOUND) != 0 ? of->beacon : NULL,
                    &plaintext, &bytes) ||
        bytes != 16 + 3 || memcmp(plaintext + 16, "1.0", 3) != 0) {
        return false;
    }
    memcpy(of->session, plaintext, 16);
    return true;
}

void host_seals(world *of, uint8_t kind, const uint8_t *session, const void *data, size_t bytes)
{
    espseal_sealed_keys keys;
    espseal_header header;
    espseal_sealed_keys_init(&keys, of->key, true);
    espseal_sealed_bind(&keys, session);
    header.flags = kind;
    header.epoch = of->epoch;
    memcpy(header.address, of->identity.address, 8);
    header.counter = ++of->down;
    of->frame_bytes = bytes + ESPSEAL_OVERHEAD_BYTES;
    if (espseal_sealed_seal(&keys, &header, data, bytes, of->frame, sizeof of->frame) !=
        ESPSEAL_OK) {
        of->frame_bytes = 0;
    }
}

espseal_verdict replay(world *of, const uint8_t *frame, size_t bytes)
{
    uint8_t copy[512];
    memcpy(copy, frame, bytes);
    return espseal_device_receive(&of->device, copy, bytes, &of->received);
}

espseal_verdict host_sends(world *of, uint8_t kind, const uint8_t *session, const void *data,
                           size_t bytes)
{
    host_seals(of, kind, session, data, bytes);
    return replay(of, of->frame, of->frame_bytes);
}

espseal_verdict host_commands(world *of, const char *command)
{
    return host_sends(of, ESPSEAL_DATA, of->session, command, strlen(command));
}

espseal_verdict host_welcomes(world *of, uint64_t floor)
{
    uint8_t body[9] = {ESPSEAL_WELCOME};
    espseal_store_be(body + 1, floor, 8);
    return host_sends(of, ESPSEAL_CONTROL, of->session, body, sizeof body);
}

bool acknowledged(world *of, const uint8_t *session)
{
    const uint8_t *plaintext;
    size_t bytes;
    return of->received.reply_bytes > 0 &&
           host_opens(of, of->received.reply, of->received.reply_bytes, session, &plaintext,
                      &bytes) &&
           bytes == 17 && plaintext[0] == ESPSEAL_ACK &&
           memcmp(plaintext + 1, of->frame + ESPSEAL_HEADER_BYTES, 16) == 0;
}

bool meet(world *of)
{
    host_beacon(of, (uint8_t)(of->beacon[0] + 1));
    return host_takes_hello(of) && host_welcomes(of, of->up + 1) == ESPSEAL_FRESH &&
           acknowledged(of, of->session);
}

uint64_t seals(world *of, espseal_error *error)
{
    uint8_t frame[64];
    *error = espseal_device_seal(&of->device, "reading", 7, frame, sizeof frame);
    return *error == ESPSEAL_OK ? espseal_load_be(frame + 12, 8) : 0;
}
