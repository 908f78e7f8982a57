#include "slots.h"

#include <string.h>

#include "codec.h"

namespace
{

constexpr uint32_t kSectorBytes = 4096;
constexpr uint32_t kMagic = 0x45535246;
constexpr uint16_t kVersion = 1;
constexpr unsigned kSectors = 2;

struct Header {
    uint32_t magic;
    uint16_t version;
    uint16_t length;
    uint32_t sequence;
    uint32_t crc;
};
static_assert(sizeof(Header) == 16, "as it is in flash");

// Flash is read and written by words.
union Piece {
    uint32_t words[16];
    char bytes[64];
};

size_t rounded(size_t bytes)
{
    return (bytes + 3) & ~static_cast<size_t>(3);
}

bool read(const espseal_platform &flash, unsigned sector, uint32_t at, uint32_t *words,
          size_t bytes)
{
    return flash.flash_read(flash.context, sector, at, words, bytes);
}

bool read_header(const espseal_platform &flash, unsigned sector, Header *header)
{
    uint32_t words[4];
    if (!read(flash, sector, 0, words, sizeof words)) {
        return false;
    }
    memcpy(header, words, sizeof *header);
    return true;
}

// Goes over the text in flash, piece by piece: its checksum, and a copy if `text` is not null. The
// last word may be a part of it alone.
bool scan(const espseal_platform &flash, unsigned sector, size_t length, uint32_t *sum, char *text)
{
    Piece piece;
    for (size_t at = 0; at < length; at += sizeof piece) {
        const size_t bytes = length - at < sizeof piece ? length - at : sizeof piece;
        if (!read(flash, sector, static_cast<uint32_t>(sizeof(Header) + at), piece.words,
                  rounded(bytes))) {
            return false;
        }
        *sum = crc32_of(piece.bytes, bytes, *sum);
        if (text != nullptr) {
            memcpy(text + at, piece.bytes, bytes);
        }
    }
    return true;
}

uint32_t header_sum(const Header &header)
{
    return crc32_of(&header, offsetof(Header, crc));
}

// Not what is there before a checksum is written, nor after it is revoked.
bool is_sum(uint32_t sum)
{
    return sum != 0 && sum != 0xffffffff;
}

bool is_ours(const Header &header)
{
    return header.magic == kMagic && header.version == kVersion && header.length > 0 &&
           header.length <= kSectorBytes - sizeof header;
}

bool is_blank(const espseal_platform &flash, unsigned sector, bool *blank)
{
    Piece piece;
    *blank = true;
    for (uint32_t at = 0; at < kSectorBytes && *blank; at += sizeof piece) {
        if (!read(flash, sector, at, piece.words, sizeof piece)) {
            return false;
        }
        for (const uint32_t word : piece.words) {
            *blank = *blank && word == 0xffffffff;
        }
    }
    return true;
}

// What is there need not be erased: an erase wears.
bool make_blank(const espseal_platform &flash, unsigned sector)
{
    bool blank = false;
    return is_blank(flash, sector, &blank) && (blank || flash.flash_erase(flash.context, sector));
}

bool write(const espseal_platform &flash, unsigned sector, uint32_t at, const void *bytes,
           size_t count)
{
    Piece piece, back;
    memset(piece.bytes, 0xff, sizeof piece);
    memcpy(piece.bytes, bytes, count);
    return flash.flash_write(flash.context, sector, at, piece.words, rounded(count)) &&
           read(flash, sector, at, back.words, rounded(count)) &&
           memcmp(back.bytes, piece.bytes, count) == 0;
}

Header header_of(const Slot &slot)
{
    return {kMagic, kVersion, slot.length, slot.sequence, 0xffffffff};
}

} // namespace

bool slots_find(const espseal_platform &flash, Slot *slot)
{
    *slot = {0, 0, 0, true};
    for (unsigned sector = 0; sector < kSectors; sector++) {
        Header header;
        bool blank;
        if (!read_header(flash, sector, &header) || !is_blank(flash, sector, &blank)) {
            return false;
        }
        slot->blank = slot->blank && blank;
        uint32_t sum = header_sum(header);
        if (!is_ours(header)) {
            continue;
        }
        if (!scan(flash, sector, header.length, &sum, nullptr)) {
            return false;
        }
        // Sequence numbers may wrap around.
        const bool newer = static_cast<int32_t>(header.sequence - slot->sequence) > 0;
        if (sum == header.crc && is_sum(sum) && (slot->length == 0 || newer)) {
            slot->sector = sector;
            slot->length = header.length;
            slot->sequence = header.sequence;
        }
    }
    return true;
}

bool slots_read(const espseal_platform &flash, const Slot &slot, char *text)
{
    Header header;
    if (!read_header(flash, slot.sector, &header)) {
        return false;
    }
    uint32_t sum = header_sum(header);
    return header.length == slot.length && scan(flash, slot.sector, slot.length, &sum, text) &&
           sum == header.crc && is_sum(sum);
}

bool slots_prepare(const espseal_platform &flash, const Slot &old, const char *text, size_t length,
                   Slot *slot)
{
    if (length == 0 || length > kSectorBytes - sizeof(Header)) {
        return false;
    }
    slot->sector = old.length == 0 ? 0 : 1 - old.sector;
    slot->length = static_cast<uint16_t>(length);
    slot->sequence = old.length == 0 ? 1 : old.sequence + 1;
    slot->blank = false;
    while (!is_sum(crc32_of(text, length, header_sum(header_of(*slot))))) {
        slot->sequence++;
    }
    const Header header = header_of(*slot);
    if (!make_blank(flash, slot->sector) ||
        !write(flash, slot->sector, 0, &header, offsetof(Header, crc))) {
        return false;
    }
    for (size_t at = 0; at < length; at += sizeof(Piece)) {
        const size_t bytes = length - at < sizeof(Piece) ? length - at : sizeof(Piece);
        if (!write(flash, slot->sector, static_cast<uint32_t>(sizeof(Header) + at), text + at,
                   bytes)) {
            return false;
        }
    }
    return true;
}

bool slots_revoke(const espseal_platform &flash, const Slot &old)
{
    const uint32_t invalid = 0;
    return old.length == 0 ||
           write(flash, old.sector, offsetof(Header, crc), &invalid, sizeof invalid);
}

bool slots_finish(const espseal_platform &flash, const Slot &slot, const char *text)
{
    const Header header = header_of(slot);
    const uint32_t sum = crc32_of(text, slot.length, header_sum(header));
    return write(flash, slot.sector, offsetof(Header, crc), &sum, sizeof sum) &&
           slots_clean(flash, slot);
}

bool slots_clean(const espseal_platform &flash, const Slot &slot)
{
    return make_blank(flash, 1 - slot.sector);
}

bool slots_erase(const espseal_platform &flash)
{
    bool done = true;
    for (unsigned sector = 0; sector < kSectors; sector++) {
        done = make_blank(flash, sector) && done;
    }
    return done;
}
