#include <Arduino.h>

#include <string>

#include "check.hpp"
#include "codec.h"
#include "flash.h"
#include "samples.h"
#include "slots.h"

using S = std::string;

static bool commit(const char *address, const char *password, const char *key)
{
    Draft draft;
    Problem problem;
    return fill(&draft, address, password, key) && draft.commit(&problem);
}

static Stored load(S *password = nullptr)
{
    Settings settings;
    const Stored stored = provision_load(&settings);
    CHECK((stored == Stored::kComplete) == (settings.text(nullptr, 0) > 0));
    if (password != nullptr) {
        *password = settings.get("wifi_password");
    }
    return stored;
}

static void an_empty_board_is_unprovisioned()
{
    char address[17];
    flash_reset();
    CHECK(load() == Stored::kNothing);
    provision_address(address);
    CHECK(strcmp(address, "none") == 0);
    CHECK(provision_mode() == 0 && !provision_set_mode(1));
    CHECK(flash.writes == 0);
}

// The whole of it, byte for byte: what any other road has to leave, too.
static void a_first_commit_is_as_it_is_written_down()
{
    flash_reset();
    CHECK(commit(kAddressA, kPasswordA, kKeyA));
    const S text =
        S("name=kitchen\naddress=") + kAddressA +
        "\nbeacon_topic=espseal/home/beacon\nwifi_ssid=house\nwifi_password=" + kPasswordA +
        "\nmqtt_host=192.168.1.2\n";
    S slot = {'F', 'R', 'S', 'E', 1, 0, static_cast<char>(text.size()), 0, 1, 0, 0, 0};
    const uint32_t sum = crc32_of((slot + text).data(), slot.size() + text.size());
    for (int shift = 0; shift < 32; shift += 8) {
        slot += static_cast<char>(sum >> shift);
    }
    slot += text;
    slot += S(2 * 4096 - slot.size(), '\xff');
    CHECK(memcmp(flash.sectors[2], slot.data(), slot.size()) == 0);
    CHECK(memcmp(flash.sectors[0], S(4096, '\xff').data(), 4096) == 0);
    char address[17];
    provision_address(address);
    CHECK(strcmp(address, kAddressA) == 0);
    // The same again wears the settings' sectors only.
    uint8_t identity[2 * 4096];
    memcpy(identity, flash.sectors[0], sizeof identity);
    CHECK(commit(kAddressA, kPasswordA, kKeyA));
    CHECK(memcmp(identity, flash.sectors[0], sizeof identity) == 0);
    CHECK(load() == Stored::kComplete);
}

static void the_settings_change_without_the_key()
{
    S password;
    flash_reset();
    CHECK(!commit(kAddressA, kPasswordA, nullptr));
    CHECK(commit(kAddressA, kPasswordA, kKeyA));
    CHECK(load(&password) == Stored::kComplete && password == kPasswordA);
    for (int turn = 0; turn < 5; turn++) {
        CHECK(commit(kAddressA, kPasswordB, nullptr));
        CHECK(load(&password) == Stored::kComplete && password == kPasswordB);
        CHECK(!flash_holds(kPasswordA, strlen(kPasswordA)));
        CHECK(commit(kAddressA, kPasswordA, nullptr));
        CHECK(load(&password) == Stored::kComplete && password == kPasswordA);
        CHECK(!flash_holds(kPasswordB, strlen(kPasswordB)));
    }
    // The key of another device is wanted for another address.
    CHECK(!commit(kAddressB, kPasswordB, nullptr));
    CHECK(load(&password) == Stored::kComplete && password == kPasswordA);
    CHECK(commit(kAddressB, kPasswordB, kKeyB));
    CHECK(load(&password) == Stored::kComplete && password == kPasswordB);
    uint8_t key[32];
    CHECK(hex_decode(kKeyA, key, sizeof key) && !flash_holds(key, sizeof key));
    CHECK(hex_decode(kKeyB, key, sizeof key) && flash_holds(key, sizeof key));
}

static S refusal(Draft *draft)
{
    Problem problem = {nullptr, nullptr};
    const unsigned long writes = flash.writes;
    CHECK(!draft->commit(&problem));
    CHECK(flash.writes == writes && problem.sentence != nullptr);
    return problem.field;
}

static void what_is_not_whole_is_refused_and_writes_nothing()
{
    Problem problem;
    Draft draft;
    flash_reset();
    CHECK(refusal(&draft) == "address");
    CHECK(fill(&draft, kAddressA, kPasswordA, nullptr));
    CHECK(refusal(&draft) == "device_key");
    CHECK(draft.set("epoch", "3", &problem));
    CHECK(refusal(&draft) == "device_key");
    CHECK(!draft.set("device_key", "1234", &problem) && S(problem.field) == "device_key");
    CHECK(draft.set("device_key", kKeyA, &problem));
    CHECK(draft.set("mqtt_host", "", &problem));
    CHECK(refusal(&draft) == "mqtt_host");
    CHECK(draft.set("mqtt_host", "broker", &problem));
    CHECK(draft.set("device_key", "", &problem));
    CHECK(refusal(&draft) == "device_key");
    CHECK(draft.set("device_key", kKeyA, &problem));
    CHECK(draft.commit(&problem));
    // The epoch is the key's.
    espseal_device device;
    CHECK(espseal_device_begin(&device, &espseal_esp8266(), nullptr) == ESPSEAL_OK);
    CHECK(device.store.record.identity.epoch == 3);
    espseal_identity other = {};
    CHECK(!provision_commit(draft.settings, &other, &problem) && S(problem.field) == "address");
    CHECK(load() == Stored::kComplete);
}

static void the_checksum_is_that_of_what_was_given()
{
    Draft draft;
    uint32_t sum;
    Problem problem;
    CHECK(draft.checksum(&sum) && sum == 0);
    CHECK(draft.set("name", "kitchen", &problem) && draft.set("interval", "60", &problem));
    const S text = "name=kitchen\n";
    CHECK(draft.checksum(&sum) && sum == crc32_of(text.data(), text.size()));
    CHECK(draft.set("device_key", kKeyA, &problem) && draft.set("epoch", "65535", &problem));
    const S all = text + "device_key=" + kKeyA + "\nepoch=65535\n";
    CHECK(draft.checksum(&sum) && sum == crc32_of(all.data(), all.size()));
    draft.clear();
    CHECK(draft.checksum(&sum) && sum == 0);
}

static void erased_is_erased()
{
    flash_reset();
    CHECK(commit(kAddressA, kPasswordA, kKeyA));
    CHECK(provision_erase());
    CHECK(load() == Stored::kNothing);
    CHECK(S(reinterpret_cast<const char *>(flash.sectors), sizeof flash.sectors) ==
          S(sizeof flash.sectors, '\xff'));
}

static void a_mode_is_kept_and_forgotten()
{
    flash_reset();
    CHECK(commit(kAddressA, kPasswordA, kKeyA));
    CHECK(provision_mode() == 0);
    CHECK(provision_set_mode(1) && provision_mode() == 1);
    CHECK(load() == Stored::kComplete);
    CHECK(provision_set_mode(0) && provision_mode() == 0);
}

static void another_boards_key_does_not_run_with_these_settings()
{
    flash_reset();
    CHECK(commit(kAddressA, kPasswordA, kKeyA));
    Flash other;
    memcpy(&other, &flash, sizeof other);
    flash_reset();
    CHECK(commit(kAddressB, kPasswordB, kKeyB));
    memcpy(flash.sectors, other.sectors, 2 * 4096);
    CHECK(load() == Stored::kInterrupted);
    memset(flash.sectors, 0xff, 2 * 4096);
    CHECK(load() == Stored::kInterrupted);
    // And it is mended by the same again.
    CHECK(commit(kAddressB, kPasswordB, kKeyB));
    CHECK(load() == Stored::kComplete);
}

static void flash_that_fails_is_told()
{
    Draft draft;
    Problem problem;
    flash_reset();
    CHECK(fill(&draft, kAddressA, kPasswordA, kKeyA));
    flash.off = true;
    CHECK(!draft.commit(&problem) && S(problem.field) == "settings");
    CHECK(load() == Stored::kNothing && !provision_erase());
    flash_on();
    flash.forgets = true;
    CHECK(!draft.commit(&problem));
    CHECK(load() == Stored::kNothing);
    flash.forgets = false;
    CHECK(draft.commit(&problem) && load() == Stored::kComplete);
}

static void put(unsigned sector, const S &text, uint32_t sequence)
{
    const uint16_t length = static_cast<uint16_t>(text.size());
    uint8_t *const to = flash.sectors[2 + sector];
    memset(to, 0xff, 4096);
    const uint32_t head[3] = {0x45535246, 1 | static_cast<uint32_t>(length) << 16, sequence};
    memcpy(to, head, sizeof head);
    const uint32_t sum = crc32_of(text.data(), length, crc32_of(head, sizeof head));
    memcpy(to + 12, &sum, sizeof sum);
    memcpy(to + 16, text.data(), length);
}

static void the_newest_slot_counts()
{
    Slot slot;
    flash_reset();
    put(0, "name=a\n", 5);
    put(1, "name=b\n", 6);
    CHECK(slots_find(settings_flash(), &slot) && slot.sector == 1 && slot.sequence == 6);
    put(0, "name=a\n", 0xffffffff);
    put(1, "name=b\n", 0);
    CHECK(slots_find(settings_flash(), &slot) && slot.sector == 1 && slot.sequence == 0);
    flash.sectors[3][20] ^= 1;
    CHECK(slots_find(settings_flash(), &slot) && slot.sector == 0);
    char text[7];
    CHECK(slots_read(settings_flash(), slot, text) && memcmp(text, "name=a\n", 7) == 0);
    flash.sectors[2][20] ^= 1;
    CHECK(!slots_read(settings_flash(), slot, text));
    CHECK(slots_find(settings_flash(), &slot) && slot.length == 0 && !slot.blank);
}

static void a_full_slot_and_an_empty_one()
{
    Slot none, slot, found;
    flash_reset();
    CHECK(slots_find(settings_flash(), &none) && none.length == 0 && none.blank);
    const S text(4080, 'x');
    CHECK(!slots_prepare(settings_flash(), none, text.data(), 4081, &slot));
    CHECK(!slots_prepare(settings_flash(), none, text.data(), 0, &slot));
    for (const size_t length : {size_t(4080), size_t(4079), size_t(1), size_t(64), size_t(65)}) {
        CHECK(slots_find(settings_flash(), &none));
        CHECK(slots_prepare(settings_flash(), none, text.data(), length, &slot));
        CHECK(slots_finish(settings_flash(), slot, text.data()));
        CHECK(slots_find(settings_flash(), &found) && found.length == length);
        S back(length, '\0');
        CHECK(slots_read(settings_flash(), found, back.data()) && back == text.substr(0, length));
    }
}

// What no checksum may be, since flash has it before one is written, or after it is revoked.
static void a_checksum_is_never_blank_nor_revoked()
{
    Slot none, slot;
    flash_reset();
    CHECK(slots_find(settings_flash(), &none));
    const uint32_t head[3] = {0x45535246, 1 | 4U << 16, 1};
    for (const uint32_t wanted : {0U, 0xffffffffU}) {
        // Four bytes make it anything: those that lead, 32 steps back, to what the header leaves.
        uint32_t text = ~wanted;
        for (unsigned bit = 0; bit < 32; bit++) {
            text = (text & 0x80000000) != 0 ? (text ^ 0xedb88320) << 1 | 1 : text << 1;
        }
        text ^= ~crc32_of(head, sizeof head);
        CHECK(crc32_of(&text, 4, crc32_of(head, sizeof head)) == wanted);
        const S four(reinterpret_cast<const char *>(&text), 4);
        Slot found;
        put(0, four, 1);
        CHECK(slots_find(settings_flash(), &found) && found.length == 0);
        memset(flash.sectors[2], 0xff, 4096);
        CHECK(slots_prepare(settings_flash(), none, four.data(), 4, &slot));
        CHECK(slot.sequence == 2);
        CHECK(slots_finish(settings_flash(), slot, four.data()));
        CHECK(slots_find(settings_flash(), &found) && found.length == 4);
        memset(flash.sectors[2], 0xff, 4096);
    }
}

// Noise, noise with our header, and valid slots with nonsense in them.
static void hostile_flash_is_unprovisioned()
{
    flash_reset();
    CHECK(commit(kAddressA, kPasswordA, kKeyA));
    uint8_t good[4096];
    memcpy(good, flash.sectors[2], sizeof good);
    for (unsigned turn = 0; turn < 3000; turn++) {
        for (unsigned sector = 2; sector < 4; sector++) {
            uint8_t *const bytes = flash.sectors[sector];
            memcpy(bytes, good, 4096);
            const unsigned changes = turn % 3 == 0 ? 4096 : 1 + noise() % 4;
            for (unsigned change = 0; change < changes; change++) {
                bytes[changes == 4096 ? change : noise() % 240] ^= static_cast<uint8_t>(noise());
            }
            if (turn % 3 == 1) {
                S text(reinterpret_cast<const char *>(bytes) + 16, noise() % 4081);
                put(sector - 2, text, noise());
            }
            if (turn % 6 == 3) {
                const uint32_t magic = 0x45535246;
                memcpy(bytes, &magic, sizeof magic);
                bytes[4] = 1;
                bytes[5] = 0;
            }
        }
        (void)load();
    }
    memset(flash.sectors[2], 0, 2 * 4096);
    CHECK(load() == Stored::kInterrupted);
    CHECK(commit(kAddressA, kPasswordA, kKeyA));
    CHECK(load() == Stored::kComplete);
    // As on a new board: nothing of what was there is left.
    CHECK(memcmp(flash.sectors[2], good, sizeof good) == 0);
}

const test provision_tests[] = {
    TEST(an_empty_board_is_unprovisioned),
    TEST(a_first_commit_is_as_it_is_written_down),
    TEST(the_settings_change_without_the_key),
    TEST(what_is_not_whole_is_refused_and_writes_nothing),
    TEST(the_checksum_is_that_of_what_was_given),
    TEST(erased_is_erased),
    TEST(a_mode_is_kept_and_forgotten),
    TEST(another_boards_key_does_not_run_with_these_settings),
    TEST(flash_that_fails_is_told),
    TEST(the_newest_slot_counts),
    TEST(a_full_slot_and_an_empty_one),
    TEST(a_checksum_is_never_blank_nor_revoked),
    TEST(hostile_flash_is_unprovisioned),
};
const unsigned provision_test_count = sizeof provision_tests / sizeof provision_tests[0];
