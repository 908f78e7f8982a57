// The reference sketch without a radio: what is stored, the mode, the serial port.
#include "port.h"

Settings settings;
Port port;
Mode mode;

void setup()
{
    Serial.begin(115200);
    const bool load = boot_begin();
#if defined(CRASH_IN_LOAD)
    if (load) {
        ESP.restart();
    }
#endif
    mode = boot_mode(load ? provision_load(&settings) : Stored::kNothing);
    Serial.printf("mode %s, bad boots %u: ", mode_word(mode), boot_bad());
    Serial.println(boot_why());
    port.begin(mode, settings, "Reference 1.0");
}

void loop()
{
    port.loop();
    if (port.restart_wanted()) {
        boot_restart();
    }
    boot_loop();
#if defined(CRASH)
    ESP.restart();
#endif
}
