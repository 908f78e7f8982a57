#include "siv.h"

#include <string.h>

#include "bytes.h"
#include "hmac.h"

/* RFC 5297, 2.3: doubling in GF(2^128), without a branch on a secret. */
static void doubled(uint8_t block[16])
{
    unsigned carry = 0;
    size_t at;
    for (at = 16; at-- > 0;) {
        carry |= (unsigned)block[at] << 1;
        block[at] = (uint8_t)carry;
        carry >>= 8;
    }
    block[15] ^= (uint8_t)(0x87 & (0U - carry));
}

static const uint8_t zeros[16];

/* CMAC (RFC 4493). `before` is the state after what came before: zeros, unless the first block was
 * MACed already. */
static void cmac(const espseal_sealed_keys *keys, uint8_t mac[16], const uint8_t *before,
                 const uint8_t *data, size_t bytes)
{
    uint8_t last[16];
    const size_t whole = bytes == 0 ? 0 : (bytes - 1) & ~(size_t)15;
    memcpy(mac, before, 16);
    memcpy(last, keys->subkey, sizeof last);
    if (bytes - whole < 16) {
        doubled(last);
        last[bytes - whole] ^= 0x80;
    }
    if (whole > 0) {
        br_aes_ct_ctrcbc_mac(&keys->mac, mac, data, whole);
    }
    espseal_xor(last, data + whole, bytes - whole);
    br_aes_ct_ctrcbc_mac(&keys->mac, mac, last, sizeof last);
}

/* What no session is: nothing was bound yet. */
#define UNKNOWN 2

/* RFC 5297, 2.4, as far as the header is not needed. */
ESPSEAL_INLINE void bind(espseal_sealed_keys *keys, const uint8_t *session, const void *context,
                         size_t context_bytes)
{
    uint8_t mac[16];
    uint8_t *const s = keys->s;
    keys->bound = session != NULL;
    if (session != NULL) {
        memcpy(keys->session, session, 16);
    }
    cmac(keys, s, zeros, zeros, 16);
    doubled(s);
    doubled(s);
    cmac(keys, mac, zeros, keys->session, session != NULL ? 16 : 0);
    espseal_xor(s, mac, 16);
    doubled(s);
    cmac(keys, mac, zeros, context, context_bytes);
    espseal_xor(s, mac, 16);
}

void espseal_sealed_bind(espseal_sealed_keys *keys, const uint8_t *session)
{
    const uint8_t bound = session != NULL;
    if (keys->bound != bound || (bound && memcmp(keys->session, session, 16) != 0)) {
        bind(keys, session, NULL, 0);
    }
}

void espseal_sealed_bind_context(espseal_sealed_keys *keys, const uint8_t *session,
                                 const void *context, size_t context_bytes)
{
    bind(keys, session, context, context_bytes);
}

ESPSEAL_INLINE void init(espseal_sealed_keys *keys, const uint8_t key[32])
{
    memset(keys, 0, sizeof *keys);
    br_aes_ct_ctrcbc_init(&keys->mac, key, 16);
    br_aes_ct_ctr_init(&keys->ctr, key + 16, 16);
    br_aes_ct_ctrcbc_mac(&keys->mac, keys->subkey, keys->header, 16);
    /* The header that is remembered is 16 zeros, and AES of them is right here. */
    memcpy(keys->header_mac, keys->subkey, 16);
    doubled(keys->subkey);
    keys->bound = UNKNOWN;
    espseal_sealed_bind(keys, NULL);
}

void espseal_siv_init(espseal_sealed_keys *keys, const uint8_t key[32])
{
    init(keys, key);
}

void espseal_sealed_keys_init(espseal_sealed_keys *keys,
                              const uint8_t device_key[ESPSEAL_DEVICE_KEY_BYTES], bool downlink)
{
    uint8_t key[32];
    espseal_derive(device_key, downlink ? "downlink\1" : "uplink\1", downlink ? 9 : 7, key);
    init(keys, key);
    keys->downlink = downlink;
    espseal_wipe(key, sizeof key);
}

void espseal_siv_tag(espseal_sealed_keys *keys, const uint8_t *header, uint8_t *data,
                     size_t data_bytes, uint8_t tag[16])
{
    uint8_t d[16];
    /* The first 16 bytes of a header stay the same over 2^32 frames. */
    if (memcmp(keys->header, header, 16) != 0) {
        memcpy(keys->header, header, 16);
        memset(keys->header_mac, 0, 16);
        br_aes_ct_ctrcbc_mac(&keys->mac, keys->header_mac, header, 16);
    }
    cmac(keys, d, keys->header_mac, header + 16, ESPSEAL_HEADER_BYTES - 16);
    doubled(d);
    doubled(d);
    espseal_xor(d, keys->s, 16);
    if (data_bytes >= 16) {
        /* xorend, in place, and back. */
        espseal_xor(data + data_bytes - 16, d, 16);
        cmac(keys, tag, zeros, data, data_bytes);
        espseal_xor(data + data_bytes - 16, d, 16);
    } else {
        doubled(d);
        espseal_xor(d, data, data_bytes);
        d[data_bytes] ^= 0x80;
        cmac(keys, tag, zeros, d, 16);
    }
}

/* RFC 5297, 2.5. The counter's top bit is cleared, so that 32 bits never carry. */
void espseal_siv_crypt(const espseal_sealed_keys *keys, const uint8_t *tag, uint8_t *data,
                       size_t data_bytes)
{
    uint8_t iv[12];
    memcpy(iv, tag, sizeof iv);
    iv[8] &= 0x7f;
    br_aes_ct_ctr_run(&keys->ctr, iv, (uint32_t)espseal_load_be(tag + 12, 4) & 0x7fffffff, data,
                      data_bytes);
}
