// As much of the Arduino core as the parts of the reference sketch need that know no radio, to
// compile them for the chip: Debian's compiler for it has no C++ library.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HIGH 0x1
#define LOW 0x0
#define OUTPUT 0x01
#define INPUT_PULLUP 0x02
#define LED_BUILTIN 2

// As the core has it: in flash, not in RAM.
#define PGM_P const char *
#define PSTR(text)                                                                    \
    (__extension__({                                                                  \
        static const char constant[] __attribute__((section(".irom.text"))) = (text); \
        &constant[0];                                                                 \
    }))
class __FlashStringHelper;
#define F(text) (reinterpret_cast<const __FlashStringHelper *>(PSTR(text)))
extern "C" {
uint8_t pgm_read_byte(const void *address);
int snprintf_P(char *out, size_t capacity, PGM_P format, ...);
unsigned long millis(void);
void delay(unsigned long ms);
void pinMode(uint8_t pin, uint8_t mode);
void digitalWrite(uint8_t pin, uint8_t val);
int digitalRead(uint8_t pin);
}

class HardwareSerial
{
  public:
    int read(void);
    void flush(void);
    size_t print(const char *text);
};
extern HardwareSerial Serial;

class EspClass
{
  public:
    static void restart();
    static struct rst_info *getResetInfoPtr();
    static bool rtcUserMemoryRead(uint32_t offset, uint32_t *data, size_t size);
    static bool rtcUserMemoryWrite(uint32_t offset, uint32_t *data, size_t size);
};
extern EspClass ESP;
