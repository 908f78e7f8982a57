// What the core needs, from the ESP8266's Arduino core.
#if defined(ARDUINO_ARCH_ESP8266)

#include <Arduino.h>
#include <flash_hal.h>

#include "Espseal.h"

namespace
{

// The sector of the EEPROM library, and one more. Most layouts with a file system of 1 MB or more
// leave the sector before it unused, for a file system has whole blocks of 8 kB.
#if !defined(ESPSEAL_FIRST_SECTOR)
constexpr bool kDefault = true;
#define ESPSEAL_FIRST_SECTOR 0
#else
constexpr bool kDefault = false;
#endif

constexpr uint32_t kFlashMapped = 0x40200000;

uint32_t first_sector()
{
    if (!kDefault) {
        return ESPSEAL_FIRST_SECTOR;
    }
    return (EEPROM_start - kFlashMapped) / ESPSEAL_FLASH_SECTOR_BYTES - 1;
}

// Neither the file system nor, where there is none, what an update over the air overwrites.
bool have_sectors()
{
    return !kDefault || (FS_end > FS_start && FS_end + ESPSEAL_FLASH_SECTOR_BYTES <= EEPROM_start);
}

uint32_t address(unsigned sector, uint32_t at)
{
    return (first_sector() + sector) * ESPSEAL_FLASH_SECTOR_BYTES + at;
}

void random_bytes(void *, uint8_t *bytes, size_t count)
{
    ESP.random(bytes, count);
}

uint32_t now(void *)
{
    return millis();
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
    return have_sectors() && ESP.flashEraseSector(first_sector() + sector);
}

bool rtc_read(void *, uint32_t word, uint32_t *data, size_t count)
{
    return ESP.rtcUserMemoryRead(word, data, count);
}

bool rtc_write(void *, uint32_t word, const uint32_t *data, size_t count)
{
    return ESP.rtcUserMemoryWrite(word, const_cast<uint32_t *>(data), count);
}

const espseal_platform kPlatform = {random_bytes, now,      flash_read, flash_write,
                                    flash_erase,  rtc_read, rtc_write,  nullptr};

} // namespace

const espseal_platform &espseal_esp8266()
{
    return kPlatform;
}

#endif
