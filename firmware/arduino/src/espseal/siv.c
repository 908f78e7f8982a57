#include "siv.h"

#include <string.h>

#include "bytes.h"

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

/* CMAC (RFC 4493) in `mac`, which holds the state after what came before. */
static void cmac(const espseal_sealed_keys *keys, uint8_t mac[16], const uint8_t *data,
                 size_t bytes)
{
    uint8_t last[16];
    const size_t whole = bytes == 0 ? 0 : (bytes - 1) & ~(size_t)15;
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

void espseal_siv_init(espseal_sealed_keys *keys, const uint8_t key[32])
{
    memset(keys, 0, sizeof *keys);
    br_aes_ct_ctrcbc_init(&keys->mac, key, 16);
    br_aes_ct_ctr_init(&keys->ctr, key + 16, 16);
    br_aes_ct_ctrcbc_mac(&keys->mac, keys->subkey, keys->header, 16);
    /* The header that is remembered is 16 zeros, and AES of them is right here. */
    memcpy(keys->header_mac, keys->subkey, 16);
    doubled(keys->subkey);
    espseal_sealed_bind_context(keys, NULL, NULL, 0);
}

void espseal_sealed_bind(espseal_sealed_keys *keys, const uint8_t *session)
{
    const uint8_t bound = session != NULL;
    if (keys->bound != bound || (bound && memcmp(keys->session, session, 16) != 0)) {
        espseal_sealed_bind_context(keys, session, NULL, 0);
    }
}

/* RFC 5297, 2.4, as far as the header is not needed. */
void espseal_sealed_bind_context(espseal_sealed_keys *keys, const uint8_t *session,
                                 const void *context, size_t context_bytes)
{
    uint8_t mac[16] = {0};
    uint8_t *const s = keys->s;
    memset(s, 0, 16);
    keys->bound = session != NULL;
    if (session != NULL) {
        memcpy(keys->session, session, 16);
    }
    cmac(keys, s, mac, 16);
    doubled(s);
    doubled(s);
    cmac(keys, mac, keys->session, keys->bound ? 16 : 0);
    espseal_xor(s, mac, 16);
    doubled(s);
    memset(mac, 0, 16);
    cmac(keys, mac, context, context_bytes);
    espseal_xor(s, mac, 16);
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
    memcpy(d, keys->header_mac, 16);
    cmac(keys, d, header + 16, ESPSEAL_HEADER_BYTES - 16);
    doubled(d);
    doubled(d);
    espseal_xor(d, keys->s, 16);
    memset(tag, 0, 16);
    if (data_bytes >= 16) {
        /* xorend, in place, and back. */
        espseal_xor(data + data_bytes - 16, d, 16);
        cmac(keys, tag, data, data_bytes);
        espseal_xor(data + data_bytes - 16, d, 16);
    } else {
        doubled(d);
        espseal_xor(d, data, data_bytes);
        d[data_bytes] ^= 0x80;
        cmac(keys, tag, d, 16);
    }
}

void espseal_siv_seal(espseal_sealed_keys *keys, uint8_t *frame, size_t data_bytes)
{
    uint8_t *const tag = frame + ESPSEAL_HEADER_BYTES;
    uint8_t *const data = frame + ESPSEAL_OVERHEAD_BYTES;
    espseal_siv_tag(keys, frame, data, data_bytes, tag);
    espseal_siv_crypt(keys, tag, data, data_bytes);
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
