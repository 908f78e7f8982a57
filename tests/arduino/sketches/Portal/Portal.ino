// Configure mode of the reference sketch, at each start.
#include "portal.h"
#include "boot.h"

static Settings settings;

void setup()
{
    Serial.begin(115200);
    const Stored stored = provision_load(&settings);
    if (!portal_open(settings, stored, "portal 1.0")) {
        Serial.println("it does not open");
    }
}

void loop()
{
    if (!portal_loop()) {
        Serial.println("restart");
        boot_restart();
    }
}
