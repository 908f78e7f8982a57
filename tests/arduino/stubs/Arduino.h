// Stands in for the Arduino core of the ESP8266, 3.1: only what it has, with its signatures.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#define HIGH 0x1
#define LOW 0x0
#define INPUT 0x00
#define INPUT_PULLUP 0x02
#define OUTPUT 0x01
#define LED_BUILTIN 2

static const uint8_t A0 = 17;

extern "C" {
unsigned long millis(void);
void delay(unsigned long ms);
void yield(void);
void pinMode(uint8_t pin, uint8_t mode);
void digitalWrite(uint8_t pin, uint8_t val);
int digitalRead(uint8_t pin);
int analogRead(uint8_t pin);
}

// Constants in flash: on the host, where everything else is.
#define PROGMEM
#define PGM_P const char *
#define PSTR(text) (text)
class __FlashStringHelper;
#define FPSTR(text) (reinterpret_cast<const __FlashStringHelper *>(text))
#define F(text) (FPSTR(PSTR(text)))
#define pgm_read_byte(address) (*reinterpret_cast<const uint8_t *>(address))
#define memcpy_P memcpy
#define strlen_P strlen
#define strcmp_P strcmp
#define strncmp_P strncmp
#define strcpy_P strcpy
#define strncpy_P strncpy
#define snprintf_P snprintf

// The program's standard input and output.
class HardwareSerial
{
  public:
    void begin(unsigned long baud);
    size_t setRxBufferSize(size_t size);
    int available(void);
    int read(void);
    void flush(void);
    size_t printf(const char *format, ...) __attribute__((format(printf, 2, 3)));
    size_t printf_P(const char *format, ...) __attribute__((format(printf, 2, 3)));
    size_t print(const char *text);
    size_t print(const __FlashStringHelper *text);
    size_t println(const char *text);
    size_t println(const __FlashStringHelper *text);
    size_t println(void);
    size_t write(const uint8_t *buffer, size_t size);
};
extern HardwareSerial Serial;

enum RFMode { RF_DEFAULT = 0, RF_CAL = 1, RF_NO_CAL = 2, RF_DISABLED = 4 };

class EspClass
{
  public:
    static void restart();
    static struct rst_info *getResetInfoPtr();
    static void deepSleep(uint64_t time_us, RFMode mode = RF_DEFAULT);
    static bool rtcUserMemoryRead(uint32_t offset, uint32_t *data, size_t size);
    static bool rtcUserMemoryWrite(uint32_t offset, uint32_t *data, size_t size);
    static uint32_t getChipId();
    static uint32_t getFreeHeap();
    static uint32_t getMaxFreeBlockSize();
    static bool flashEraseSector(uint32_t sector);
    static bool flashWrite(uint32_t address, const uint32_t *data, size_t size);
    static bool flashWrite(uint32_t address, const uint8_t *data, size_t size);
    static bool flashRead(uint32_t address, uint32_t *data, size_t size);
    static bool flashRead(uint32_t address, uint8_t *data, size_t size);
    static uint8_t *random(uint8_t *resultArray, const size_t outputSizeBytes);
    static uint32_t random();
};
extern EspClass ESP;

void configTime(int timezone_sec, int daylightOffset_sec, const char *server1,
                const char *server2 = nullptr, const char *server3 = nullptr);

void setup();
void loop();
