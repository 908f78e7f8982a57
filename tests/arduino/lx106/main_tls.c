/* What TLS costs beside a sealed frame: the code of a client, and the least arithmetic of one
 * handshake with ECDHE on P-256 and certificates of RSA 2048. */
#include <string.h>

#include <bearssl/bearssl.h>

#include "board.h"
#include "console.h"
#include "record.h"

static br_ssl_client_context client;
static br_x509_minimal_context minimal;
static volatile int link_a_client;

static unsigned char number[256], modulus[256], exponent[] = {1, 0, 1};
static unsigned char point[65], scalar[32];

/* The certificates' clock: nothing here looks at it. */
int gettimeofday(void *time, void *zone);
int gettimeofday(void *time, void *zone)
{
    (void)time;
    (void)zone;
    return -1;
}

static void report(const char *name, uint32_t before)
{
    say(name);
    say(" ");
    say_number((board_ccount() - before) * 25);
    say("\n");
}

int main(void)
{
    const br_rsa_public_key key = {modulus, sizeof modulus, exponent, sizeof exponent};
    uint32_t before;
    memset(modulus, 0xb5, sizeof modulus);
    memset(number, 0x47, sizeof number);
    memset(scalar, 0x35, sizeof scalar);
    before = board_ccount();
    br_ec_p256_m15.mulgen(point, scalar, sizeof scalar, BR_EC_secp256r1);
    report("p256_base", before);
    before = board_ccount();
    if (br_ec_p256_m15.mul(point, sizeof point, scalar, sizeof scalar, BR_EC_secp256r1) != 1) {
        give_up("no point");
    }
    report("p256", before);
    /* What a check of an ECDSA signature comes to. */
    before = board_ccount();
    if (br_ec_p256_m15.muladd(point, NULL, sizeof point, scalar, sizeof scalar, scalar,
                              sizeof scalar, BR_EC_secp256r1) != 1) {
        give_up("no sum");
    }
    report("p256_muladd", before);
    before = board_ccount();
    if (br_rsa_i15_public(number, sizeof number, &key) != 1) {
        give_up("no number");
    }
    report("rsa_2048", before);
    if (link_a_client) {
        br_ssl_client_init_full(&client, &minimal, NULL, 0);
    }
    say("contexts ");
    say_number(sizeof client + sizeof minimal);
    say("\n");
    board_exit(0);
}
