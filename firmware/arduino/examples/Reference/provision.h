// What the board is provisioned with: the identity, which the library keeps, and the settings. One
// commit for the page and the serial port.
#pragma once

#include <Espseal.h>

#include "settings.h"

enum class Stored : uint8_t {
    kNothing,     // nobody has provisioned it
    kInterrupted, // half of something is there: it has to be provisioned again
    kComplete,    // it can run
};

// Reads the settings, which are empty if it is not kComplete. Settings and identity belong together
// only if they have the same address.
Stored provision_load(Settings *settings);

// Stores both, or the settings alone (nullptr: the identity in flash stays). Settings that run mode
// could not begin with are refused (Settings::missing), and so is an identity of another address.
// False: `problem` says why. A power cut at any byte leaves the old, the new or, if there is an
// identity, kInterrupted; never the one with the other. Restart after it (boot_restart): whoever
// runs with the old identity must not write to flash any more.
bool provision_commit(const Settings &settings, const espseal_identity *identity, Problem *problem);

// Erases settings, key and counter. Restart after it.
bool provision_erase();

// The address in flash, as 16 hex digits and a NUL; "none" if there is no identity.
void provision_address(char text[17]);

// The mode in the library's record, that control frames set: 0 run, 1 configure. Restart after
// setting it.
uint8_t provision_mode();
bool provision_set_mode(uint8_t mode);

// Where the settings are: two sectors at the end of the file system's region, which the sketch does
// not use otherwise. Fails if the layout has none (Tools -> Flash Size).
const espseal_platform &settings_flash();

// What is being put in, field by field, over the page or the port: settings, and perhaps a key.
class Draft
{
  public:
    Settings settings;

    ~Draft() { clear(); }
    // As Settings::set, and for device_key and epoch.
    bool set(const char *name, const char *value, Problem *problem);
    // The CRC-32 of the canonical text and, if there is a key, of "device_key=..\nepoch=..\n".
    // False: no memory.
    bool checksum(uint32_t *sum) const;
    bool commit(Problem *problem);
    void clear();

  private:
    uint8_t key_[ESPSEAL_DEVICE_KEY_BYTES];
    bool has_key_ = false;
    bool has_epoch_ = false;
    uint16_t epoch_ = 0;
};
