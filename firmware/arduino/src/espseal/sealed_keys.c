#include "bytes.h"
#include "hmac.h"
#include "siv.h"

void espseal_sealed_keys_init(espseal_sealed_keys *keys,
                              const uint8_t device_key[ESPSEAL_DEVICE_KEY_BYTES], bool downlink)
{
    uint8_t key[32];
    espseal_derive(device_key, downlink ? "downlink" : "uplink", NULL, 0, key);
    espseal_siv_init(keys, key);
    keys->downlink = downlink;
    espseal_wipe(key, sizeof key);
}
