#include "provision.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "slots.h"

namespace
{

// Memory for a moment, overwritten when it is given back: keys and passwords are in it.
class Scratch
{
  public:
    explicit Scratch(size_t bytes) : bytes_(bytes), at_(static_cast<char *>(malloc(bytes))) {}
    ~Scratch()
    {
        wipe(at_, at_ == nullptr ? 0 : bytes_);
        free(at_);
    }
    Scratch(const Scratch &) = delete;
    Scratch &operator=(const Scratch &) = delete;
    char *get() { return at_; }

  private:
    size_t bytes_;
    char *at_;
};

Sentence no_memory()
{
    return F("There is not memory enough: restart the board and try again.");
}

Sentence no_flash()
{
    return F("The flash cannot be written: choose a layout with a file system (Tools -> Flash "
             "Size), or another board.");
}

// False: there is no identity.
bool load_record(espseal_store *store)
{
    memset(store, 0, sizeof *store);
    return espseal_store_load(store, &espseal_esp8266()) && store->record.sequence > 0;
}

bool is_address(const uint8_t *address, const char *text)
{
    uint8_t bytes[ESPSEAL_ADDRESS_BYTES];
    return hex_decode(text, bytes, sizeof bytes) && memcmp(address, bytes, sizeof bytes) == 0;
}

bool is_stored(const espseal_identity &identity)
{
    espseal_store store;
    return load_record(&store) && memcmp(&store.record.identity, &identity, sizeof identity) == 0;
}

bool store_identity(espseal_device *device, const espseal_identity &identity)
{
    return espseal_device_begin(device, &espseal_esp8266(), &identity) == ESPSEAL_OK &&
           memcmp(device->store.record.identity.address, identity.address,
                  sizeof identity.address) == 0;
}

bool store_both(const Settings &settings, const espseal_identity *identity, Problem *problem)
{
    const espseal_platform &flash = settings_flash();
    const size_t length = settings.text(nullptr, 0);
    Scratch text(length), device(identity == nullptr ? 1 : sizeof(espseal_device));
    Slot old, slot;
    if (text.get() == nullptr || device.get() == nullptr) {
        *problem = {"settings", no_memory()};
        return false;
    }
    settings.text(text.get(), length);
    *problem = {"settings", no_flash()};
    if (!slots_find(flash, &old) || !slots_prepare(flash, old, text.get(), length, &slot)) {
        return false;
    }
    // While the identity changes, no settings are valid: never the new one with the old ones.
    if (identity != nullptr &&
        (!slots_revoke(flash, old) ||
         !store_identity(reinterpret_cast<espseal_device *>(device.get()), *identity))) {
        return false;
    }
    return slots_finish(flash, slot, text.get());
}

} // namespace

Stored provision_load(Settings *settings)
{
    const espseal_platform &flash = settings_flash();
    Slot slot;
    settings->clear();
    if (!slots_find(flash, &slot)) {
        return Stored::kNothing;
    }
    if (slot.length == 0) {
        return slot.blank ? Stored::kNothing : Stored::kInterrupted;
    }
    Scratch text(slot.length);
    espseal_store store;
    const bool complete = text.get() != nullptr && slots_read(flash, slot, text.get()) &&
                          settings->parse(text.get(), slot.length) &&
                          settings->missing().sentence == nullptr && load_record(&store) &&
                          is_address(store.record.identity.address, settings->get("address"));
    if (!complete) {
        settings->clear();
        return Stored::kInterrupted;
    }
    // What the last commit did not come to: it may fail, and is tried again.
    (void)slots_clean(flash, slot);
    return Stored::kComplete;
}

bool provision_commit(const Settings &settings, const espseal_identity *identity, Problem *problem)
{
    *problem = settings.missing();
    if (problem->sentence != nullptr) {
        return false;
    }
    espseal_store store;
    if (identity != nullptr && !is_address(identity->address, settings.get("address"))) {
        *problem = {"address", F("The key is another device's: give address and key together.")};
    } else if (identity == nullptr && !load_record(&store)) {
        *problem = {"device_key", F("The board has no key yet: give the device's.")};
    } else if (identity == nullptr &&
               !is_address(store.record.identity.address, settings.get("address"))) {
        *problem = {"device_key", F("The board has the key of another address: give this one's.")};
    }
    if (problem->sentence != nullptr) {
        return false;
    }
    // What does not change cannot be half changed.
    const bool keep = identity == nullptr || is_stored(*identity);
    if (!store_both(settings, keep ? nullptr : identity, problem)) {
        return false;
    }
    *problem = {nullptr, nullptr};
    return true;
}

bool provision_erase()
{
    const espseal_platform &board = espseal_esp8266();
    bool done = slots_erase(settings_flash());
    for (unsigned sector = 0; sector < ESPSEAL_FLASH_SECTORS; sector++) {
        done = board.flash_erase(board.context, sector) && done;
    }
    return done;
}

void provision_address(char text[17])
{
    espseal_store store;
    if (load_record(&store)) {
        hex_encode(store.record.identity.address, ESPSEAL_ADDRESS_BYTES, text);
    } else {
        strcpy(text, "none");
    }
}

uint8_t provision_mode()
{
    espseal_store store;
    return load_record(&store) ? store.record.mode : 0;
}

bool provision_set_mode(uint8_t mode)
{
    espseal_store store;
    if (!load_record(&store)) {
        return false;
    }
    store.record.mode = mode;
    return espseal_store_save(&store, false);
}
