#include "flash.h"

#include <Espseal.h>
#include <string.h>

#include "provision.h"

Flash flash;

uint32_t noise()
{
    static uint32_t state = 1;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static uint8_t *sector_of(const void *context, unsigned sector)
{
    return flash.sectors[sector + (context == nullptr ? 0 : 2)];
}

// Whether one more byte gets through.
static bool spend()
{
    if (flash.off || flash.power == 0) {
        flash.off = true;
        return false;
    }
    flash.power -= flash.power > 0;
    flash.writes++;
    return true;
}

static bool is_inside(unsigned sector, uint32_t at, size_t count)
{
    return sector < 2 && at % 4 == 0 && count % 4 == 0 && at <= 4096 && count <= 4096 - at;
}

static bool read(void *context, unsigned sector, uint32_t at, uint32_t *data, size_t count)
{
    if (!is_inside(sector, at, count) || flash.off) {
        return false;
    }
    memcpy(data, sector_of(context, sector) + at, count);
    return true;
}

static bool write(void *context, unsigned sector, uint32_t at, const uint32_t *data, size_t count)
{
    const uint8_t *from = reinterpret_cast<const uint8_t *>(data);
    if (!is_inside(sector, at, count)) {
        return false;
    }
    uint8_t *to = sector_of(context, sector) + at;
    for (; count > 0 && !flash.forgets; count--, to++, from++) {
        const bool was_on = !flash.off;
        if (!spend()) {
            if (was_on && flash.torn_bits) {
                *to &= static_cast<uint8_t>(*from | noise());
            }
            return false;
        }
        // A write only clears bits.
        *to &= *from;
    }
    return true;
}

static bool erase(void *context, unsigned sector)
{
    if (!is_inside(sector, 0, 0)) {
        return false;
    }
    uint8_t *const bytes = sector_of(context, sector);
    flash.erases++;
    for (int at = 0; at < 4096; at++) {
        // In steps, for a test that cuts everywhere.
        if (at % 64 == 0 && !spend()) {
            for (int left = at; flash.torn_erase && left < 4096; left++) {
                bytes[4095 - left] |= static_cast<uint8_t>(noise());
            }
            return false;
        }
        bytes[flash.torn_erase ? 4095 - at : at] = 0xff;
    }
    return true;
}

static void random_bytes(void *, uint8_t *bytes, size_t count)
{
    while (count-- > 0) {
        *bytes++ = static_cast<uint8_t>(noise());
    }
}

static uint32_t now(void *)
{
    return 0;
}

static bool no_rtc_read(void *, uint32_t, uint32_t *, size_t)
{
    return false;
}

static bool no_rtc_write(void *, uint32_t, const uint32_t *, size_t)
{
    return false;
}

static const espseal_platform kIdentity = {random_bytes, now,         read,         write,
                                           erase,        no_rtc_read, no_rtc_write, nullptr};
static const espseal_platform kSettings = {random_bytes, now,         read,         write,
                                           erase,        no_rtc_read, no_rtc_write, &flash};

const espseal_platform &espseal_esp8266()
{
    return kIdentity;
}

const espseal_platform &settings_flash()
{
    return kSettings;
}

void flash_reset()
{
    memset(&flash, 0, sizeof flash);
    memset(flash.sectors, 0xff, sizeof flash.sectors);
    flash.power = -1;
}

void flash_on()
{
    flash.power = -1;
    flash.off = false;
}

bool flash_holds(const void *bytes, size_t count)
{
    return memmem(flash.sectors, sizeof flash.sectors, bytes, count) != nullptr;
}
