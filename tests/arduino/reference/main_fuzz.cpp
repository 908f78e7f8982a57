// fuzz COUNT: so many lines over the serial port, from noise to what is nearly right. Nothing is
// printed that is secret, every answer is one of the protocol, and what gets stored is whole.
#include <cstdio>
#include <cstdlib>

#include "flash.h"
#include "port_bench.h"
#include "samples.h"

using S = std::string;

static S any(size_t most)
{
    S bytes(noise() % (most + 1), '\0');
    for (char &each : bytes) {
        each = static_cast<char>(noise() % 3 == 0 ? noise() : 32 + noise() % 95);
    }
    return bytes;
}

static S value_of(const Field &field)
{
    switch (noise() % 8) {
    case 0:
        return any(field.longest + 8U);
    case 1:
        return percent(any(40));
    case 2:
        return "";
    case 3:
        return field.initial;
    case 4:
        return field.kind == Kind::kBase64 ? percent(noise() % 2 ? kPem : kPublicKey) : kAddressA;
    case 5:
        return noise() % 2 ? kKeyA : percent(kPasswordA);
    case 6:
        return field.kind == Kind::kIpv4 ? "192.168.1.9" : "12";
    default:
        return field_choice(noise() % 5);
    }
}

static S line()
{
    static const char *const words[] = {"espseal?", "begin",      "get",    "save ",    "set ",
                                        "mode ",    "mode run",   "erase ", "set name", "save 0",
                                        "set  ",    "erase none", "espseal"};
    switch (noise() % 6) {
    case 0:
        return any(noise() % 100 == 0 ? 5000 : 60);
    case 1:
        return words[noise() % (sizeof words / sizeof words[0])] + any(12);
    case 2:
        return words[noise() % (sizeof words / sizeof words[0])];
    default: {
        const Field &field = kFields[noise() % kFieldCount];
        return S("set ") + field.name + " " + value_of(field);
    }
    }
}

static bool is_answer(const S &said)
{
    size_t at = 0;
    while (at < said.size()) {
        const size_t end = said.find('\n', at);
        if (end == S::npos || said.compare(at, 8, "espseal ") != 0) {
            return false;
        }
        at = end + 1;
    }
    return true;
}

int main(int count, char **arguments)
{
    const long lines = count > 1 ? atol(arguments[1]) : 1000;
    long answered = 0, refused = 0, restarts = 0;
    flash_reset();
    for (long turn = 0; turn < lines; turn++) {
        if (turn % 5000 == 0 || bench_restarts()) {
            restarts += turn % 5000 != 0;
            flash_reset();
            Draft draft;
            Problem problem;
            if (turn % 2 == 0 &&
                (!fill(&draft, kAddressA, kPasswordA, kKeyA) || !draft.commit(&problem))) {
                puts("FAILED: not provisioned");
                return 1;
            }
            bench_begin(Mode::kRun);
        }
        const S sent = line();
        const S said = bench_say(sent + "\n");
        answered += !said.empty();
        refused += said.rfind("espseal error", 0) == 0;
        for (const char *secret : {kPasswordA, kKeyA, kKeyA + 32}) {
            if (said.find(secret) != S::npos) {
                printf("FAILED: a secret is printed after %s\n", sent.c_str());
                return 1;
            }
        }
        if (!is_answer(said)) {
            printf("FAILED: no answer of the protocol: %s\n", said.c_str());
            return 1;
        }
    }
    printf("answered %ld\nrefused %ld\nrestarts %ld\nok %ld lines\n", answered, refused, restarts,
           lines);
    return 0;
}
