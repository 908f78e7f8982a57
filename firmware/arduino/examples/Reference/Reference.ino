// The firmware for a board that nobody has to write code for: flash it, provision it over the
// serial port (`espseal provision NAME --port`) or the page, and trust it. README, "Reference".
//
// Two modes that never share the heap: run (Wi-Fi, MQTT, readings, commands) and configure (an
// access point with a page). Configure is entered by somebody at the board, by pressing FLASH for 3
// s or reset twice, or by the host's authenticated command; never because Wi-Fi is lost.
#include "boot.h"
#include "led.h"
#include "port.h"
#include "portal.h"
#include "run.h"

static const char kVersion[] = "Reference/1.0";

static Settings settings;
static Port port;
static Mode mode;
static Led led = Led::kConnecting;

static void say_what_to_do()
{
    if (mode == Mode::kUnprovisioned) {
        led = Led::kUnprovisioned;
        Serial.println(F("Not provisioned: it waits. On the computer that this port leads to: "
                         "espseal provision NAME --port. Or press reset twice within 4 s for the "
                         "page."));
    } else if (mode == Mode::kSafe) {
        led = Led::kSafe;
        Serial.println(F("Safe mode: it kept starting badly, and waits for this port. Look at what "
                         "it said before, then send \"mode run\", or switch it off and on."));
    }
}

void setup()
{
    // What is typed while a handshake keeps the board busy has to wait somewhere.
    Serial.setRxBufferSize(512);
    Serial.begin(115200);
    Serial.println();
    const Stored stored = boot_begin() ? provision_load(&settings) : Stored::kNothing;
    mode = boot_mode(stored);
    led_begin();
    Serial.printf_P(PSTR("%s, mode: %s ("), kVersion, mode_word(mode));
    Serial.print(boot_why());
    Serial.println(F(")."));
    port.begin(mode, settings, kVersion);
    say_what_to_do();
    if (mode == Mode::kRun && !run_begin(settings, kVersion)) {
        // It has said why; the port and the button stay.
        mode = Mode::kUnprovisioned;
        led = Led::kUnprovisioned;
    } else if (mode == Mode::kConfigure) {
        led = Led::kConfigure;
        if (!portal_open(settings, stored, kVersion)) {
            boot_restart();
        }
    }
}

void loop()
{
    port.loop();
    if (port.restart_wanted()) {
        boot_restart();
    }
    boot_loop();
    if (mode == Mode::kRun) {
        led = run_loop() ? Led::kConnected : Led::kConnecting;
    } else if (mode == Mode::kConfigure && !portal_loop()) {
        boot_restart();
    }
    led_show(led);
}
