#include <string.h>

#include "bytes.h"
#include "device_internal.h"
#include "siv.h"

/* O6 to O8: which session a frame verifies under; NULL: none, and the data is wiped. The plaintext
 * is the same whichever it is, so it is decrypted once. */
static espseal_session *verify(espseal_device *device, uint8_t *frame, size_t data_bytes)
{
    const bool bound = (frame[1] & ESPSEAL_BOUND) != 0;
    espseal_session *session = device->sessions;
    uint8_t expected[ESPSEAL_TAG_BYTES];
    espseal_siv_crypt(&device->downlink, frame + ESPSEAL_HEADER_BYTES,
                      frame + ESPSEAL_OVERHEAD_BYTES, data_bytes);
    for (; session < device->sessions + 3; session++) {
        /* An unbound frame comes under the third, which is never drawn. */
        if (session->drawn == bound) {
            espseal_sealed_bind(&device->downlink, bound ? session->id : NULL);
            espseal_siv_tag(&device->downlink, frame, frame + ESPSEAL_OVERHEAD_BYTES, data_bytes,
                            expected);
            if (espseal_equal(expected, frame + ESPSEAL_HEADER_BYTES, sizeof expected)) {
                return session;
            }
        }
    }
    espseal_wipe(frame + ESPSEAL_OVERHEAD_BYTES, data_bytes);
    return NULL;
}

/* What a control frame asks for. The length of the answer, which is an acknowledgement unless
 * another is put in its place; 0: it does not parse, or cannot be done. */
static size_t obey(espseal_device *device, const uint8_t *body, size_t bytes, uint8_t *answer)
{
    /* Opcode and length together are one case: a body of another length does not parse. */
    const unsigned form = bytes == 0 ? 0 : body[0] | (unsigned)bytes << 8;
    const uint64_t value = bytes == 0 ? 0 : espseal_load_be(body + 1, bytes - 1);
    const unsigned ahead = (unsigned)value - device->record.identity.epoch;
    switch (form) {
    case ESPSEAL_RATCHET | 3 << 8:
        /* E4. An epoch behind is, in 16 bits, far ahead. */
        if ((uint16_t)value > device->record.identity.epoch &&
            (ahead > ESPSEAL_EPOCHS_AHEAD || !espseal_device_ratchet(device, ahead))) {
            return 0;
        }
        break;
    case ESPSEAL_WELCOME | 9 << 8:
        if (value > device->next && device->next != 0) {
            device->next = value;
        }
        break;
    case ESPSEAL_SET_MODE | 2 << 8:
        device->record.mode = (uint8_t)value;
        break;
    case ESPSEAL_QUERY_MODE | 1 << 8:
        answer[0] = ESPSEAL_MODE;
        answer[1] = device->record.mode;
        return 2;
    default:
        return 0;
    }
    return 1 + ESPSEAL_TAG_BYTES;
}

espseal_verdict espseal_device_receive(espseal_device *device, uint8_t *frame, size_t frame_bytes,
                                       espseal_received *received)
{
    uint8_t *const answer = received->reply + ESPSEAL_OVERHEAD_BYTES;
    size_t answer_bytes = 1 + ESPSEAL_TAG_BYTES;
    espseal_verdict verdict = ESPSEAL_FRESH;
    espseal_session *session;
    uint64_t counter;
    bool command, welcome;

    memset(received, 0, sizeof *received);
    received->problem = espseal_sealed_check(frame, frame_bytes);
    if (received->problem != ESPSEAL_NO_PROBLEM) {
        return ESPSEAL_MALFORMED;
    }
    /* O5 */
    if ((frame[1] & ESPSEAL_DOWNLINK) == 0) {
        return ESPSEAL_WRONG_DIRECTION;
    }
    if (!device->begun ||
        memcmp(frame + 4, device->record.identity.address, ESPSEAL_ADDRESS_BYTES) != 0) {
        return ESPSEAL_UNKNOWN_DEVICE;
    }
    if ((uint16_t)espseal_load_be(frame + 2, 2) != device->record.identity.epoch) {
        return ESPSEAL_WRONG_EPOCH;
    }
    frame_bytes -= ESPSEAL_OVERHEAD_BYTES;
    session = verify(device, frame, frame_bytes);
    if (session == NULL) {
        return ESPSEAL_FORGED;
    }
    /* C1, H5 */
    command = (frame[1] & ESPSEAL_KIND_MASK) == ESPSEAL_DATA;
    welcome = !command && frame_bytes == 9 && frame[ESPSEAL_OVERHEAD_BYTES] == ESPSEAL_WELCOME;
    (void)espseal_device_hello_due(device);
    if ((session != device->newest && device->old_over) || (!session->welcomed && !welcome) ||
        (command && !session->commands)) {
        return ESPSEAL_STALE_SESSION;
    }
    counter = espseal_load_be(frame + 12, 8);
    if (counter < session->head) {
        return ESPSEAL_REPLAYED;
    }
    if (counter == session->head) {
        verdict = ESPSEAL_DUPLICATE;
    } else if (command) {
        received->command = frame + ESPSEAL_OVERHEAD_BYTES;
        received->command_bytes = frame_bytes;
        if (session == device->newest) {
            device->old_over = true;
        }
    }
    session->head = counter;
    /* C2. What is asked for a second time is as it was: nothing of it adds up. */
    answer[0] = ESPSEAL_ACK;
    memcpy(answer + 1, frame + ESPSEAL_HEADER_BYTES, ESPSEAL_TAG_BYTES);
    if (!command) {
        answer_bytes = obey(device, frame + ESPSEAL_OVERHEAD_BYTES, frame_bytes, answer);
    }
    /* H5: a counter that was lifted is stored before anything else is made. */
    if (answer_bytes > 0 && espseal_device_reserve(device) == ESPSEAL_OK) {
        espseal_device_finish(device, ESPSEAL_CONTROL, session->id, received->reply, answer_bytes);
        received->reply_bytes = ESPSEAL_OVERHEAD_BYTES + answer_bytes;
        if (welcome && session == device->newest) {
            session->welcomed = true;
            device->welcomed = true;
            espseal_device_hello_in(device, ESPSEAL_HELLO_EVERY_MS);
            if (!device->listening) {
                device->hello_wait = 0;
            }
        }
    }
    return verdict;
}
