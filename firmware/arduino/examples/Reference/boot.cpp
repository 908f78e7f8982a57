#include "boot.h"

#include <Arduino.h>
extern "C" {
#include <user_interface.h>
}

#include "codec.h"

namespace
{

constexpr uint32_t kWord = 50;
constexpr uint32_t kMagic = 0xeb070000;

enum Flag : uint32_t {
    kWell = 1,      // this boot is no bad one any more
    kPurpose = 2,   // it ended by boot_restart
    kPressed = 4,   // it began with the reset button, not long ago
    kConfigure = 8, // somebody at the board wants configure mode
};

struct Memory {
    uint32_t flags; // and the magic
    uint32_t bad;
    uint32_t sum;
};

Memory memory;
Sentence why;
bool begun;
bool wanted; // configure mode, by somebody at the board
bool safe;
uint32_t low_since;
bool low;

uint32_t sum_of(const Memory &of)
{
    return crc32_of(&of, offsetof(Memory, sum));
}

// What the power left is random: then this is the first boot. Whether it was valid.
bool load()
{
    if (ESP.rtcUserMemoryRead(kWord, reinterpret_cast<uint32_t *>(&memory), sizeof memory) &&
        (memory.flags & 0xffff0000) == kMagic && memory.sum == sum_of(memory)) {
        return true;
    }
    memory = {kMagic, 0, 0};
    return false;
}

void save()
{
    memory.sum = sum_of(memory);
    ESP.rtcUserMemoryWrite(kWord, reinterpret_cast<uint32_t *>(&memory), sizeof memory);
}

bool is_crash(uint32_t reason)
{
    return reason != REASON_EXT_SYS_RST && reason != REASON_DEEP_SLEEP_AWAKE;
}

// What happened before this boot: counts, and what somebody at the board wants.
void look_back()
{
    const uint32_t reason = ESP.getResetInfoPtr()->reason;
    const uint32_t left = load() ? memory.flags : static_cast<uint32_t>(kWell);
    const bool pressed = reason == REASON_EXT_SYS_RST;
    const bool twice = pressed && (left & kPressed) != 0;
    const bool asked = (left & kConfigure) != 0;
    if ((left & kPurpose) != 0 || reason == REASON_DEEP_SLEEP_AWAKE) {
        memory.bad = 0;
    } else if ((left & kWell) == 0 && is_crash(reason) && memory.bad < 0xffff) {
        memory.bad++;
    }
    memory.flags = kMagic | (pressed && !twice ? static_cast<uint32_t>(kPressed) : 0);
    save();
    why = twice   ? F("the reset button was pressed twice")
          : asked ? F("somebody at the board asked for it")
                  : F("provisioned");
    wanted = twice || asked;
}

} // namespace

bool boot_begin()
{
    if (!begun) {
        begun = true;
        pinMode(kButton, INPUT_PULLUP);
        look_back();
        safe = !wanted && memory.bad >= kBadBootsMax;
    }
    return memory.bad <= kBadBootsMax;
}

Mode boot_mode(Stored stored)
{
    (void)boot_begin();
    if (safe) {
        why = F("it crashed too often");
        return Mode::kSafe;
    }
    if (!wanted && stored != Stored::kComplete) {
        why = stored == Stored::kNothing ? F("not provisioned yet")
                                         : F("provisioning was interrupted: do it again");
        return Mode::kUnprovisioned;
    }
    if (provision_mode() != static_cast<uint8_t>(Mode::kConfigure)) {
        return wanted ? Mode::kConfigure : Mode::kRun;
    }
    // Once: were it not written back, the power could fail and leave the board where it is open.
    if (!provision_set_mode(static_cast<uint8_t>(Mode::kRun)) && !wanted) {
        why = F("the host asked for configure mode, but the flash cannot be written");
        return Mode::kRun;
    }
    if (!wanted) {
        why = F("the host asked for it");
    }
    return Mode::kConfigure;
}

Sentence boot_why()
{
    return why;
}

unsigned boot_bad()
{
    return memory.bad;
}

// Low for long enough, and then let go: low while the chip restarts might start its loader.
static void watch_button()
{
    const bool was_low = low;
    low = digitalRead(kButton) == LOW;
    if (low && !was_low) {
        low_since = static_cast<uint32_t>(millis());
    }
    if (was_low && !low && millis() - low_since >= HELD_MS) {
        boot_configure_next();
        boot_restart();
    }
}

void boot_loop()
{
    if ((memory.flags & kPressed) != 0 && millis() >= DOUBLE_RESET_MS) {
        memory.flags &= ~static_cast<uint32_t>(kPressed);
        save();
    }
    if (!safe && (memory.flags & kWell) == 0 && millis() >= WELL_MS) {
        boot_well();
    }
    watch_button();
}

void boot_well()
{
    if ((memory.flags & kWell) == 0) {
        memory.flags |= kWell;
        memory.bad = 0;
        save();
    }
}

void boot_configure_next()
{
    memory.flags |= kConfigure;
    save();
}

void boot_restart()
{
    memory.flags |= kPurpose;
    save();
    Serial.flush();
    ESP.restart();
    for (;;) {
        delay(1000);
    }
}

const char *mode_word(Mode mode)
{
    switch (mode) {
    case Mode::kRun:
        return "run";
    case Mode::kConfigure:
        return "configure";
    case Mode::kSafe:
        return "safe";
    default:
        return "unprovisioned";
    }
}
