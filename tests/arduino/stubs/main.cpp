// What the Arduino core does with a sketch.
#include <Arduino.h>

int main()
{
    // As the core has it: known before the sketch begins.
    (void)EspClass::getResetInfoPtr();
    setup();
    for (;;) {
        loop();
        delay(1);
    }
}
