#include <string.h>

#include "classic.h"

static bool is_aes_key(size_t bytes)
{
    return bytes == 16 || bytes == 24 || bytes == 32;
}

espseal_error espseal_classic_keys_init(espseal_classic_keys *keys,
                                        const espseal_classic_secrets *secrets, unsigned scheme,
                                        bool opening)
{
    if (!is_aes_key(secrets->iv_key_bytes) || !is_aes_key(secrets->data_key_bytes) ||
        secrets->passphrase_bytes == 0) {
        return ESPSEAL_ERROR_WRONG_KEY_LENGTH;
    }
    if (opening) {
        br_aes_ct_cbcdec_init(&keys->iv_key.open, secrets->iv_key, secrets->iv_key_bytes);
        br_aes_ct_cbcdec_init(&keys->data_key.open, secrets->data_key, secrets->data_key_bytes);
    } else {
        br_aes_ct_cbcenc_init(&keys->iv_key.seal, secrets->iv_key, secrets->iv_key_bytes);
        br_aes_ct_cbcenc_init(&keys->data_key.seal, secrets->data_key, secrets->data_key_bytes);
    }
    memcpy(keys->static_iv, secrets->static_iv, sizeof keys->static_iv);
    keys->scheme = (uint8_t)scheme;
    keys->passphrase_bytes = (uint8_t)secrets->passphrase_bytes;
    if (secrets->passphrase_bytes <= sizeof keys->passphrase) {
        memcpy(keys->passphrase, secrets->passphrase, secrets->passphrase_bytes);
    } else {
        /* RFC 2104: what is longer than a block is hashed first. */
        br_sha1_context hash;
        br_sha1_init(&hash);
        br_sha1_update(&hash, secrets->passphrase, secrets->passphrase_bytes);
        br_sha1_out(&hash, keys->passphrase);
        keys->passphrase_bytes = br_sha1_SIZE;
    }
    return ESPSEAL_OK;
}
