#include "check.hpp"
#include "codec.h"
#include "flash.h"
#include "port_bench.h"
#include "samples.h"

using S = std::string;

static const S kGiven =
    S("name=kitchen\naddress=") + kAddressA +
    "\nbeacon_topic=espseal/home/beacon\nwifi_ssid=house\nwifi_password=" + kPasswordA +
    "\nmqtt_host=192.168.1.2\n";
static const S kKeyLines = S("device_key=") + kKeyA + "\nepoch=0\n";

// The lines that put in what kGiven says.
static S lines()
{
    S sent = "begin\n";
    for (size_t at = 0; at < kGiven.size();) {
        const size_t equals = kGiven.find('=', at), end = kGiven.find('\n', at);
        sent += "set " + kGiven.substr(at, equals - at) + " " +
                percent(kGiven.substr(equals + 1, end - equals - 1)) + "\n";
        at = end + 1;
    }
    return sent;
}

static S oks(size_t count)
{
    S all;
    while (count-- > 0) {
        all += "espseal ok\n";
    }
    return all;
}

static void a_board_is_provisioned()
{
    flash_reset();
    bench_begin(Mode::kUnprovisioned);
    CHECK(bench_say("espseal?\n") == "espseal 1 run none Reference 1.0\n");
    CHECK(bench_say(lines()) == oks(7));
    CHECK(bench_say(S("set device_key ") + kKeyA + "\n") == oks(1));
    CHECK(!bench_restarts());
    CHECK(bench_say(save_line(kGiven + kKeyLines)) == S("espseal saved ") + kAddressA + "\n");
    CHECK(bench_restarts());
    uint8_t by_port[sizeof flash.sectors];
    memcpy(by_port, flash.sectors, sizeof by_port);
    // As by any other road.
    flash_reset();
    Draft draft;
    Problem problem;
    CHECK(fill(&draft, kAddressA, kPasswordA, kKeyA) && draft.commit(&problem));
    CHECK(memcmp(by_port, flash.sectors, sizeof by_port) == 0);
    bench_begin(Mode::kSafe);
    CHECK(bench_say("espseal?\r\n") == S("espseal 1 safe ") + kAddressA + " Reference 1.0\n");
}

static void what_is_stored_is_shown_without_secrets()
{
    const S shown = bench_say("get\n");
    CHECK(shown == S("espseal name kitchen\nespseal address ") + kAddressA +
                       "\nespseal beacon_topic espseal/home/beacon\nespseal wifi_ssid house\n"
                       "espseal wifi_password *\nespseal mqtt_host 192.168.1.2\nespseal ok\n");
}

static void a_save_needs_all_that_was_sent()
{
    flash_reset();
    bench_begin(Mode::kUnprovisioned);
    CHECK(bench_say(lines()) == oks(7));
    const S lost = bench_say(save_line(kGiven + kKeyLines));
    CHECK(lost.rfind("espseal error save ", 0) == 0);
    CHECK(bench_say(save_line(kGiven)).rfind("espseal error device_key ", 0) == 0);
    for (const char *wrong : {"save \n", "save 1234\n", "save 123456789\n", "save 0000000g\n"}) {
        CHECK(bench_say(wrong).rfind("espseal error save ", 0) == 0);
    }
    CHECK(bench_say("begin\n" + save_line("")).find("espseal error address ") != S::npos);
    CHECK(flash.writes == 0 && !bench_restarts());
}

static void a_wrong_value_is_told_by_its_name()
{
    flash_reset();
    bench_begin(Mode::kRun);
    CHECK(bench_say("set mqtt_port 99999\n").rfind("espseal error mqtt_port ", 0) == 0);
    CHECK(bench_say("set name a%\n").rfind("espseal error name ", 0) == 0);
    CHECK(bench_say("set name a%00\n").rfind("espseal error name ", 0) == 0);
    CHECK(bench_say("set name a%0Ab\n").rfind("espseal error name ", 0) == 0);
    CHECK(bench_say("set nothing a%\n").rfind("espseal error set ", 0) == 0);
    CHECK(bench_say("set nothing 1\n").rfind("espseal error settings ", 0) == 0);
    CHECK(bench_say("set \n").rfind("espseal error settings ", 0) == 0);
    CHECK(bench_say("set name\n") == oks(1));
    CHECK(bench_say("set name \n") == oks(1));
    CHECK(bench_say("set device_key 12\n").rfind("espseal error device_key ", 0) == 0);
    CHECK(bench_say("set epoch 65536\n").rfind("espseal error epoch ", 0) == 0);
    // A value may have spaces as they are, and line ends in what is a PEM file.
    CHECK(bench_say("set name a kitchen\nset tls_ca " + percent(kPem) + "\n") == oks(2));
    CHECK(bench_say("set tls_public_key " + percent(kPublicKey) + "\n") == oks(1));
}

static void other_text_is_ignored()
{
    flash_reset();
    bench_begin(Mode::kRun);
    for (const char *line : {"", "\r", "hello", "espseal", "espseal??", "espseal? ", " begin",
                             "begin ", "beginning", "getting", "GET", "mode", "erase", "save",
                             "set", "\xff\xfe\x80", "espseal ok", "espseal 1 run none x"}) {
        CHECK(bench_say(S(line) + "\n").empty());
    }
    CHECK(bench_say(S("get\0\n", 5)).empty());
    CHECK(bench_say(S(100000, 'g') + "\n").empty());
    CHECK(bench_say("begin") == "" && bench_say("\n") == oks(1));
    CHECK(bench_say("noise begin\nbegin\n") == oks(1));
}

static void a_line_has_an_end()
{
    flash_reset();
    bench_begin(Mode::kRun);
    const S start = "set name ";
    CHECK(bench_say(start + S(4096 - start.size(), 'x') + "\n").rfind("espseal error name ", 0) ==
          0);
    const S said = bench_say(start + S(4097 - start.size(), 'x') + S(5000, 'y') + "\nget\n");
    CHECK(said.rfind("espseal error line ", 0) == 0);
    CHECK(said.find('\n') == said.size() - 1 - oks(1).size());
}

static void modes_are_asked_for()
{
    flash_reset();
    bench_begin(Mode::kUnprovisioned);
    CHECK(bench_say("mode \n").rfind("espseal error mode ", 0) == 0);
    CHECK(bench_say("mode safe\n").rfind("espseal error mode ", 0) == 0);
    CHECK(!bench_restarts());
    CHECK(bench_say("mode configure\n") == oks(1) && bench_restarts() && bench_configures());
    Draft draft;
    Problem problem;
    CHECK(fill(&draft, kAddressA, kPasswordA, kKeyA) && draft.commit(&problem));
    CHECK(provision_set_mode(1));
    bench_begin(Mode::kSafe);
    CHECK(bench_say("mode run\n") == oks(1) && bench_restarts() && !bench_configures());
    CHECK(provision_mode() == 0);
}

static void a_board_is_erased_by_its_address()
{
    flash_reset();
    Draft draft;
    Problem problem;
    CHECK(fill(&draft, kAddressA, kPasswordA, kKeyA) && draft.commit(&problem));
    bench_begin(Mode::kRun);
    for (const char *wrong : {"erase \n", "erase none\n", "erase fedcba9876543210\n"}) {
        CHECK(bench_say(wrong).rfind("espseal error erase ", 0) == 0 && !bench_restarts());
    }
    CHECK(bench_say(S("erase ") + kAddressA + "\n") == "espseal erased\n" && bench_restarts());
    Settings settings;
    CHECK(provision_load(&settings) == Stored::kNothing);
    // Half of a provisioning has no address.
    flash.sectors[2][0] = 0;
    bench_begin(Mode::kUnprovisioned);
    CHECK(bench_say("erase none\n") == "espseal erased\n");
    CHECK(provision_load(&settings) == Stored::kNothing);
}

static void a_board_whose_flash_fails_begins_anew()
{
    flash_reset();
    bench_begin(Mode::kUnprovisioned);
    CHECK(bench_say(lines() + "set device_key " + kKeyA + "\n") == oks(8));
    flash.power = 100;
    CHECK(bench_say(save_line(kGiven + kKeyLines)).rfind("espseal error settings ", 0) == 0);
    CHECK(bench_restarts());
    flash_on();
    bench_begin(Mode::kUnprovisioned);
    CHECK(bench_say(save_line(kGiven)).rfind("espseal error save ", 0) == 0);
    CHECK(!bench_restarts());
}

const test port_tests[] = {
    TEST(a_board_is_provisioned),
    TEST(what_is_stored_is_shown_without_secrets),
    TEST(a_save_needs_all_that_was_sent),
    TEST(a_wrong_value_is_told_by_its_name),
    TEST(other_text_is_ignored),
    TEST(a_line_has_an_end),
    TEST(modes_are_asked_for),
    TEST(a_board_is_erased_by_its_address),
    TEST(a_board_whose_flash_fails_begins_anew),
};
const unsigned port_test_count = sizeof port_tests / sizeof port_tests[0];
