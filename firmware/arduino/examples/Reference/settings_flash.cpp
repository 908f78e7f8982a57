// Where the settings are on the board.
#if defined(ARDUINO_ARCH_ESP8266)

#include <Arduino.h>
#include <flash_hal.h>

#include "provision.h"

namespace
{

constexpr uint32_t kSectorBytes = 4096;
constexpr uint32_t kFlashMapped = 0x40200000;

// Without a file system there is nothing that nobody else uses.
bool have_sectors()
{
    return FS_end > FS_start && FS_end - FS_start >= 2 * kSectorBytes;
}

uint32_t address(unsigned sector, uint32_t at)
{
    return FS_end - kFlashMapped - (2 - sector) * kSectorBytes + at;
}

bool flash_read(void *, unsigned sector, uint32_t at, uint32_t *data, size_t count)
{
    return have_sectors() && ESP.flashRead(address(sector, at), data, count);
}

bool flash_write(void *, unsigned sector, uint32_t at, const uint32_t *data, size_t count)
{
    return have_sectors() &&
           ESP.flashWrite(address(sector, at), const_cast<uint32_t *>(data), count);
}

bool flash_erase(void *, unsigned sector)
{
    return have_sectors() && ESP.flashEraseSector(address(sector, 0) / kSectorBytes);
}

const espseal_platform kPlatform = {nullptr,     nullptr, flash_read, flash_write,
                                    flash_erase, nullptr, nullptr,    nullptr};

} // namespace

const espseal_platform &settings_flash()
{
    return kPlatform;
}

#endif
