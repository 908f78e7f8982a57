// power VARIANT: the power fails at every byte of every commit, and again while the board recovers.
// Whatever is left is the old, the new, or nothing that runs; never the one's key with the other's
// settings; and the same commit once more mends it. So for an erasure, and a change of the mode.
//
// Bits of the variant: 1, the byte at which it fails is half programmed; 2, an erase begins at the
// sector's end and leaves noise; 4, the settings are long: there is a certificate in them.
#include <Arduino.h>

#include <cstdio>
#include <cstdlib>

#include "codec.h"
#include "flash.h"
#include "samples.h"

struct State {
    const char *address; // nullptr: nothing is stored
    const char *password;
    const char *key;
};

struct Change {
    const char *name;
    State before;
    State after;
    bool key_given;
};

static const State kNone = {nullptr, nullptr, nullptr};
static const State kFirst = {kAddressA, kPasswordA, kKeyA};
static const Change kChanges[] = {
    {"a new board", kNone, kFirst, true},
    {"other settings", kFirst, {kAddressA, kPasswordB, kKeyA}, false},
    {"other settings, and the same key once more", kFirst, {kAddressA, kPasswordB, kKeyA}, true},
    {"another key of the same address", kFirst, {kAddressA, kPasswordB, kKeyB}, true},
    {"another device", kFirst, {kAddressB, kPasswordB, kKeyB}, true},
};

static const char *wrong;
static unsigned variant;

static bool commit(const State &state, bool key_given)
{
    Draft draft;
    Problem problem;
    return fill(&draft, state.address, state.password, key_given ? state.key : nullptr) &&
           draft.set("transport", (variant & 4) != 0 ? "ca" : "", &problem) &&
           draft.set("tls_ca", (variant & 4) != 0 ? kCertificate : "", &problem) &&
           draft.commit(&problem);
}

// What would run: settings and key of the one or of the other. nullptr: neither.
static const State *running(const Change &change)
{
    Settings settings;
    static espseal_device device;
    if (provision_load(&settings) != Stored::kComplete) {
        return nullptr;
    }
    if (espseal_device_begin(&device, &espseal_esp8266(), nullptr) != ESPSEAL_OK) {
        wrong = flash.off ? wrong : "complete, and without a key";
        return nullptr;
    }
    for (const State *state : {&change.before, &change.after}) {
        uint8_t address[8], key[32];
        if (state->address == nullptr) {
            continue;
        }
        (void)hex_decode(state->address, address, sizeof address);
        (void)hex_decode(state->key, key, sizeof key);
        const espseal_identity &identity = device.store.record.identity;
        if (settings.is("wifi_password", state->password) &&
            settings.is("address", state->address) && memcmp(identity.key, key, 32) == 0 &&
            memcmp(identity.address, address, 8) == 0) {
            return state;
        }
    }
    wrong = "the one's key with the other's settings";
    return nullptr;
}

// Sets the board up, and changes it; false: the power has failed.
static bool play(const Change &change, long power)
{
    flash_reset();
    flash.torn_bits = (variant & 1) != 0;
    flash.torn_erase = (variant & 2) != 0;
    if (change.before.address != nullptr && !commit(change.before, true)) {
        wrong = "not set up";
    }
    flash.power = power;
    const bool done = commit(change.after, change.key_given);
    const bool failed = flash.off;
    if (done && failed) {
        wrong = "done, without power";
    }
    flash_on();
    return !failed;
}

static void recover(const Change &change, long power)
{
    flash.power = power;
    (void)running(change);
    const bool again = !flash.off;
    flash_on();
    // A board that was on its way to run goes on to.
    const State *const state = running(change);
    const bool whole = !change.key_given || change.after.key == change.before.key;
    if (wrong == nullptr && state == nullptr && whole && change.before.address != nullptr) {
        wrong = "neither the old nor the new";
    }
    // An interrupted change is made once more, with the key, or again without power.
    flash.power = again ? power : -1;
    (void)commit(change.after, change.key_given || state == nullptr);
    flash_on();
    (void)running(change);
    if (wrong == nullptr && (!commit(change.after, true) || running(change) != &change.after)) {
        wrong = "not mended";
    }
    if (wrong == nullptr && change.before.password != nullptr &&
        flash_holds(change.before.password, strlen(change.before.password))) {
        wrong = "the old password is left";
    }
}

static bool erase()
{
    return provision_erase();
}

static bool change_mode()
{
    return provision_set_mode(1);
}

// What is no commit: the board runs as before, or is empty if that was wanted.
static long cut_everywhere(bool (*act)(), bool may_be_gone)
{
    const Change &change = kChanges[1];
    bool done = false;
    long cut = 0;
    for (; !done && wrong == nullptr; cut++) {
        (void)play(change, -1);
        flash.power = cut;
        done = act();
        if (done && flash.off) {
            wrong = "done, without power";
        }
        flash_on();
        if (running(change) == nullptr && wrong == nullptr && !may_be_gone) {
            wrong = "it does not run any more";
        }
        if (wrong == nullptr && (!act() || !commit(change.after, true) || !running(change))) {
            wrong = "not mended";
        }
    }
    return cut;
}

int main(int count, char **arguments)
{
    variant = count > 1 ? static_cast<unsigned>(atoi(arguments[1])) : 0;
    long cuts = 0;
    for (const Change &change : kChanges) {
        bool done = false;
        for (long cut = 0; !done && wrong == nullptr; cut++, cuts++) {
            done = play(change, cut);
            recover(change, cut * 7 % 311);
            if (wrong != nullptr) {
                printf("FAILED: %s, after %ld bytes: %s\n", change.name, cut, wrong);
                return 1;
            }
        }
    }
    cuts += cut_everywhere(erase, true) + cut_everywhere(change_mode, false);
    if (wrong != nullptr) {
        printf("FAILED: no commit: %s\n", wrong);
        return 1;
    }
    printf("ok %ld cuts\n", cuts);
    return 0;
}
