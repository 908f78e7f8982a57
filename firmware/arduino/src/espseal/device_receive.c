#include <string.h>

#include "bytes.h"
#include "device_internal.h"
#include "siv.h"

enum { UNBOUND = ESPSEAL_SESSIONS, NONE };

/* O6 to O8: which session a frame verifies under, or NONE, and the data is wiped. The plaintext is
 * the same whichever it is, so it is decrypted once. */
static unsigned verify(espseal_device *device, uint8_t *frame, size_t frame_bytes)
{
    const bool bound = (frame[1] & ESPSEAL_BOUND) != 0;
    const uint8_t *const tag = frame + ESPSEAL_HEADER_BYTES;
    uint8_t *const data = frame + ESPSEAL_OVERHEAD_BYTES;
    const size_t data_bytes = frame_bytes - ESPSEAL_OVERHEAD_BYTES;
    uint8_t expected[ESPSEAL_TAG_BYTES];
    unsigned at;
    espseal_siv_crypt(&device->downlink, tag, data, data_bytes);
    for (at = bound ? 0 : UNBOUND; at < NONE; at++) {
        if (at < UNBOUND ? device->sessions[at].drawn : !bound) {
            espseal_sealed_bind(&device->downlink, bound ? device->sessions[at].id : NULL);
            espseal_siv_tag(&device->downlink, frame, data, data_bytes, expected);
            if (espseal_equal(expected, tag, sizeof expected)) {
                return at;
            }
        }
    }
    espseal_wipe(data, data_bytes);
    return NONE;
}

/* What a control frame asks for; the body of the answer, in `answer`, or 0: none. */
static size_t obey(espseal_device *device, const uint8_t *body, size_t bytes, uint8_t *answer)
{
    /* Opcode and length together are one case: a body of another length does not parse. */
    const unsigned form = bytes == 0 ? 0 : body[0] | (unsigned)bytes << 8;
    const uint64_t value = bytes < 2 ? 0 : espseal_load_be(body + 1, bytes - 1);
    if (form == (ESPSEAL_RATCHET | 3 << 8)) {
        const uint16_t epoch = (uint16_t)value, own = device->record.epoch;
        if (epoch > own && (epoch - own > ESPSEAL_EPOCHS_AHEAD ||
                            espseal_device_ratchet(device, epoch) != ESPSEAL_OK)) {
            return 0;
        }
    } else if (form == (ESPSEAL_WELCOME | 9 << 8)) {
        if (value > device->next && device->next != 0) {
            device->next = value;
        }
    } else if (form == (ESPSEAL_SET_MODE | 2 << 8)) {
        device->record.mode = (uint8_t)value;
    } else if (form == (ESPSEAL_QUERY_MODE | 1 << 8)) {
        answer[0] = ESPSEAL_MODE;
        answer[1] = device->record.mode;
        return 2;
    } else {
        return 0;
    }
    return 1 + ESPSEAL_TAG_BYTES;
}

espseal_verdict espseal_device_receive(espseal_device *device, uint8_t *frame, size_t frame_bytes,
                                       espseal_received *received)
{
    const uint8_t *const data = frame + ESPSEAL_OVERHEAD_BYTES;
    const size_t data_bytes = frame_bytes - ESPSEAL_OVERHEAD_BYTES;
    uint8_t answer[1 + ESPSEAL_TAG_BYTES];
    size_t answer_bytes = sizeof answer;
    espseal_verdict verdict = ESPSEAL_FRESH;
    espseal_session *session;
    espseal_header header;
    unsigned at;
    bool command, welcome;

    memset(received, 0, sizeof *received);
    received->problem = espseal_sealed_parse(frame, frame_bytes, &header);
    if (received->problem != ESPSEAL_NO_PROBLEM) {
        return ESPSEAL_MALFORMED;
    }
    /* O5 */
    if ((header.flags & ESPSEAL_DOWNLINK) == 0) {
        return ESPSEAL_WRONG_DIRECTION;
    }
    if (!device->begun || memcmp(header.address, device->record.address, 8) != 0) {
        return ESPSEAL_UNKNOWN_DEVICE;
    }
    if (header.epoch != device->record.epoch) {
        return ESPSEAL_WRONG_EPOCH;
    }
    at = verify(device, frame, frame_bytes);
    if (at == NONE) {
        return ESPSEAL_FORGED;
    }
    /* C1, H5 */
    session = &device->sessions[at];
    command = (header.flags & ESPSEAL_KIND_MASK) == ESPSEAL_DATA;
    welcome = !command && data_bytes == 9 && data[0] == ESPSEAL_WELCOME;
    (void)espseal_device_hello_due(device);
    if (at == UNBOUND || (at == ESPSEAL_OLD && device->old_over) ||
        (!session->welcomed && !welcome) || (command && !session->commands)) {
        return ESPSEAL_STALE_SESSION;
    }
    if (header.counter < session->head) {
        return ESPSEAL_REPLAYED;
    }
    if (header.counter == session->head) {
        verdict = ESPSEAL_DUPLICATE;
    } else if (command) {
        received->command = data;
        received->command_bytes = data_bytes;
        if (at == ESPSEAL_NEW) {
            device->old_over = true;
        }
    }
    session->head = header.counter;
    /* C2. What is asked for a second time is as it was: nothing of it adds up. */
    answer[0] = ESPSEAL_ACK;
    memcpy(answer + 1, frame + ESPSEAL_HEADER_BYTES, ESPSEAL_TAG_BYTES);
    if (!command) {
        answer_bytes = obey(device, data, data_bytes, answer);
    }
    /* H5: sealing stores a counter that was lifted before it makes anything else. */
    if (answer_bytes > 0 &&
        espseal_device_seal_kind(device, ESPSEAL_CONTROL, session->id, answer, answer_bytes,
                                 received->reply, sizeof received->reply) == ESPSEAL_OK) {
        received->reply_bytes = ESPSEAL_OVERHEAD_BYTES + answer_bytes;
        if (welcome && at == ESPSEAL_NEW) {
            session->welcomed = true;
            device->welcomed = true;
            espseal_device_hello_in(device, device->listening ? ESPSEAL_HELLO_EVERY_MS : 0);
        }
    }
    return verdict;
}
