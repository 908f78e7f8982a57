#include "port_bench.h"

#include <cstdio>
#include <memory>

#include "codec.h"

static std::string input, output;
static size_t taken;
static std::unique_ptr<Port> port;
static Settings settings;
static bool configures;

static int read_byte()
{
    return taken < input.size() ? static_cast<uint8_t>(input[taken++]) : -1;
}

static void print_text(const char *text)
{
    output += text;
}

// In the place of boot.cpp, which restarts.
void boot_configure_next()
{
    configures = true;
}

const char *mode_word(Mode mode)
{
    return mode == Mode::kSafe ? "safe" : "run";
}

void bench_begin(Mode mode)
{
    (void)provision_load(&settings);
    configures = false;
    port = std::make_unique<Port>();
    port->begin(mode, settings, "Reference 1.0", read_byte, print_text);
}

std::string bench_say(const std::string &bytes)
{
    input = bytes;
    taken = 0;
    output.clear();
    while (taken < input.size() && !port->restart_wanted()) {
        port->loop();
    }
    return output;
}

bool bench_restarts()
{
    return port->restart_wanted();
}

bool bench_configures()
{
    return configures;
}

std::string percent(const std::string &value)
{
    std::string sent;
    for (const char each : value) {
        char digits[4];
        snprintf(digits, sizeof digits, "%%%02X", static_cast<uint8_t>(each));
        const bool plain = (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9');
        sent += plain ? std::string(1, each) : digits;
    }
    return sent;
}

std::string save_line(const std::string &text)
{
    char line[16];
    snprintf(line, sizeof line, "save %08x\n", crc32_of(text.data(), text.size()));
    return line;
}
