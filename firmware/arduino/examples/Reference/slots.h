// The canonical text in flash: two sectors of 4096 bytes, of which one is in use. A slot is a
// header and the text; 0xFF follows.
//
//   magic u32 0x45535246 | version u16 1 | length u16 of the text | sequence u32 | crc u32
//
// Little-endian; the CRC-32 is that of the twelve bytes before it and of the text. It is written
// last: a power cut at any byte leaves the old slot or the new one, which has the next sequence
// number; 1, in the first sector, where there was none. (A number with which the CRC would be 0 or
// 0xFFFFFFFF is left out.) Then the old one is erased, for there are passwords in it.
#pragma once

#include <espseal/platform.h>

// Where the settings are.
struct Slot {
    unsigned sector;
    uint16_t length; // of the text; 0: there are none
    uint32_t sequence;
    bool blank; // both sectors are erased: nothing was ever begun
};

// Looks for the newest valid slot. False: flash fails.
bool slots_find(const espseal_platform &flash, Slot *slot);

// Reads the text, slot.length bytes. False: flash fails, or it has changed since.
bool slots_read(const espseal_platform &flash, const Slot &slot, char *text);

// Writing: everything but the checksum. `old` is what slots_find said, `slot` is what will be.
bool slots_prepare(const espseal_platform &flash, const Slot &old, const char *text, size_t length,
                   Slot *slot);
// Makes the old slot invalid at once, for when something else in flash changes with it.
bool slots_revoke(const espseal_platform &flash, const Slot &old);
// The checksum: from here on the new slot counts. Then everything else is erased.
bool slots_finish(const espseal_platform &flash, const Slot &slot, const char *text);

// Erases what is left of an older slot, if anything is.
bool slots_clean(const espseal_platform &flash, const Slot &slot);
bool slots_erase(const espseal_platform &flash);
