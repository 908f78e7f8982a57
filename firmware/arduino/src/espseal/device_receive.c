#include <string.h>

#include "bytes.h"
#include "device_internal.h"
#include "siv.h"

/* O6 to O8: which session a frame verifies under; NULL: none, and the data is wiped. The plaintext
 * is the same whichever it is, so it is decrypted once. */
static espseal_session *verify(espseal_device *device, uint8_t *frame, size_t data_bytes)
{
    const unsigned bound = frame[1] >> 1 & 1;
    espseal_session *session = device->sessions;
    uint8_t expected[ESPSEAL_TAG_BYTES];
    espseal_siv_crypt(&device->downlink, frame + ESPSEAL_HEADER_BYTES,
                      frame + ESPSEAL_OVERHEAD_BYTES, data_bytes);
    do {
        /* An unbound frame comes under the third, which is never drawn. */
        if (session->drawn == bound) {
            espseal_sealed_bind(&device->downlink, bound ? session->id : NULL);
            espseal_siv_tag(&device->downlink, frame, frame + ESPSEAL_OVERHEAD_BYTES, data_bytes,
                            expected);
            if (espseal_equal(expected, frame + ESPSEAL_HEADER_BYTES, sizeof expected)) {
                return session;
            }
        }
    } while (++session < device->sessions + 3);
    espseal_wipe(frame + ESPSEAL_OVERHEAD_BYTES, data_bytes);
    return NULL;
}

/* What a frame is: 0 a command, else opcode and length of a control frame together, for a body of
 * another length does not parse. */
#define FORM(opcode, bytes) ((opcode) | (unsigned)(bytes) << 8)

/* What a frame asks for. The length of the answer, which is an acknowledgement unless another is
 * put in its place; 0: it does not parse, or cannot be done. */
static size_t obey(espseal_device *device, unsigned form, uint64_t value, uint8_t *answer)
{
    const unsigned ahead = (unsigned)value - device->store.record.identity.epoch;
    switch (form) {
    case 0:
        break;
    case FORM(ESPSEAL_RATCHET, 3):
        /* E4 */
        if (ahead > 0xffff) {
            break;
        }
        if (ahead != 0) {
            if (ahead > ESPSEAL_EPOCHS_AHEAD || !espseal_device_ratchet(device, ahead)) {
                return 0;
            }
            espseal_device_make_keys(device);
        }
        break;
    case FORM(ESPSEAL_WELCOME, 9):
        if (value > device->next && device->next != 0) {
            device->next = value;
        }
        break;
    case FORM(ESPSEAL_SET_MODE, 2):
        device->store.record.mode = (uint8_t)value;
        break;
    case FORM(ESPSEAL_QUERY_MODE, 1):
        answer[0] = ESPSEAL_MODE;
        answer[1] = device->store.record.mode;
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
    const uint8_t *const data = frame + ESPSEAL_OVERHEAD_BYTES;
    size_t answer_bytes;
    espseal_verdict verdict = ESPSEAL_FRESH;
    espseal_session *session;
    uint64_t counter;
    unsigned form = 0;

    received->command = NULL;
    received->command_bytes = received->reply_bytes = 0;
    received->problem = espseal_sealed_check(frame, frame_bytes);
    if (received->problem != ESPSEAL_NO_PROBLEM) {
        return ESPSEAL_MALFORMED;
    }
    /* O5 */
    if ((frame[1] & ESPSEAL_DOWNLINK) == 0) {
        return ESPSEAL_WRONG_DIRECTION;
    }
    if (!device->begun ||
        memcmp(frame + 4, device->store.record.identity.address, ESPSEAL_ADDRESS_BYTES) != 0) {
        return ESPSEAL_UNKNOWN_DEVICE;
    }
    if ((uint16_t)espseal_load_be(frame + 2, 2) != device->store.record.identity.epoch) {
        return ESPSEAL_WRONG_EPOCH;
    }
    frame_bytes -= ESPSEAL_OVERHEAD_BYTES;
    session = verify(device, frame, frame_bytes);
    if (session == NULL) {
        return ESPSEAL_FORGED;
    }
    /* C1, H5 */
    if ((frame[1] & ESPSEAL_KIND_MASK) != ESPSEAL_DATA) {
        /* Of an empty one the byte is not of the frame, and the length says so. */
        form = frame_bytes == 0 ? FORM(1, 0) : FORM(data[0], frame_bytes);
    }
    (void)espseal_device_hello_due(device);
    if ((session != device->newest && device->old_over) ||
        (!session->welcomed && form != FORM(ESPSEAL_WELCOME, 9)) ||
        (form == 0 && !session->commands)) {
        return ESPSEAL_STALE_SESSION;
    }
    counter = espseal_load_be(frame + 12, 8);
    if (counter < session->head) {
        return ESPSEAL_REPLAYED;
    }
    if (counter == session->head) {
        verdict = ESPSEAL_DUPLICATE;
    } else if (form == 0) {
        received->command = data;
        received->command_bytes = frame_bytes;
        if (session == device->newest) {
            device->old_over = true;
        }
    }
    session->head = counter;
    /* C2. What is asked for a second time is as it was: nothing of it adds up. */
    answer[0] = ESPSEAL_ACK;
    memcpy(answer + 1, frame + ESPSEAL_HEADER_BYTES, ESPSEAL_TAG_BYTES);
    answer_bytes = obey(device, form,
                        frame_bytes == 0 ? 0 : espseal_load_be(data + 1, frame_bytes - 1), answer);
    /* H5: a counter that was lifted is stored before anything else is made. */
    if (answer_bytes > 0 && espseal_device_reserve(device) == ESPSEAL_OK) {
        espseal_device_finish(device, ESPSEAL_CONTROL, session->id, received->reply, answer_bytes);
        received->reply_bytes = ESPSEAL_OVERHEAD_BYTES + answer_bytes;
        if (form == FORM(ESPSEAL_WELCOME, 9) && session == device->newest) {
            session->welcomed = true;
            device->welcomed = true;
            device->hello_wait = 0;
            if (device->listening) {
                espseal_device_hello_in(device, ESPSEAL_HELLO_EVERY_MS);
            }
        }
    }
    return verdict;
}
