// The board of the stubs. Flash and RTC memory are files in $BOARD, so that a next start finds what
// this one left; deep sleep ends the program with exit code 42.
#include <Arduino.h>
#include <flash_hal.h>
#include <stdarg.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

namespace
{

constexpr uint32_t kFlashBytes = 4 << 20;
constexpr uint32_t kSector = 4096;
constexpr size_t kRtcBytes = 512;

std::string path(const char *name)
{
    const char *const folder = getenv("BOARD");
    return std::string(folder == nullptr ? "." : folder) + "/" + name;
}

// What is not there yet is as it is on a new board.
std::vector<uint8_t> load(const char *name, size_t bytes, uint8_t value)
{
    std::vector<uint8_t> memory(bytes, value);
    std::ifstream file(path(name), std::ios::binary);
    file.read(reinterpret_cast<char *>(memory.data()), static_cast<std::streamsize>(bytes));
    return memory;
}

void save(const char *name, const std::vector<uint8_t> &memory)
{
    std::ofstream file(path(name), std::ios::binary);
    file.write(reinterpret_cast<const char *>(memory.data()),
               static_cast<std::streamsize>(memory.size()));
}

// The two sectors that may be written: any other belongs to somebody else.
constexpr uint32_t kFirst = EEPROM_start - 0x40200000 - kSector;

std::vector<uint8_t> &flash()
{
    static std::vector<uint8_t> memory = load("flash.bin", 2 * kSector, 0xff);
    return memory;
}

std::vector<uint8_t> &rtc()
{
    static std::vector<uint8_t> memory = load("rtc.bin", kRtcBytes, 0x5a);
    return memory;
}

bool is_ours(uint32_t address, size_t size)
{
    return address >= kFirst && size <= 2 * kSector && address + size <= kFirst + 2 * kSector;
}

} // namespace

HardwareSerial Serial;
EspClass ESP;

unsigned long millis(void)
{
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    static const time_t start = now.tv_sec;
    return static_cast<unsigned long>((now.tv_sec - start) * 1000 + now.tv_nsec / 1000000);
}

void delay(unsigned long ms)
{
    usleep(static_cast<useconds_t>(ms * 1000));
}
void yield(void) {}
void pinMode(uint8_t, uint8_t) {}
void digitalWrite(uint8_t pin, uint8_t val)
{
    Serial.printf("pin %d is %d\n", pin, val);
}
int digitalRead(uint8_t)
{
    return LOW;
}

int analogRead(uint8_t)
{
    static int reading = 500;
    return reading++;
}

void HardwareSerial::begin(unsigned long) {}

size_t HardwareSerial::printf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int count = vprintf(format, arguments);
    va_end(arguments);
    fflush(stdout);
    return static_cast<size_t>(count);
}

size_t HardwareSerial::print(const char *text)
{
    return printf("%s", text);
}
size_t HardwareSerial::println(const char *text)
{
    return printf("%s\n", text);
}
size_t HardwareSerial::println(void)
{
    return printf("\n");
}

size_t HardwareSerial::write(const uint8_t *buffer, size_t size)
{
    return printf("%.*s", static_cast<int>(size), reinterpret_cast<const char *>(buffer));
}

void EspClass::deepSleep(uint64_t time_us, RFMode)
{
    Serial.printf("deep sleep for %llu s\n", static_cast<unsigned long long>(time_us / 1000000));
    _exit(42);
}

bool EspClass::rtcUserMemoryRead(uint32_t offset, uint32_t *data, size_t size)
{
    if (offset * 4 + size > kRtcBytes || size == 0) {
        return false;
    }
    memcpy(data, rtc().data() + offset * 4, size);
    return true;
}

bool EspClass::rtcUserMemoryWrite(uint32_t offset, uint32_t *data, size_t size)
{
    if (offset * 4 + size > kRtcBytes || size == 0) {
        return false;
    }
    memcpy(rtc().data() + offset * 4, data, size);
    save("rtc.bin", rtc());
    return true;
}

uint32_t EspClass::getChipId()
{
    return 11242238;
}

bool EspClass::flashEraseSector(uint32_t sector)
{
    if (!is_ours(sector * kSector, kSector)) {
        return false;
    }
    memset(flash().data() + (sector * kSector - kFirst), 0xff, kSector);
    save("flash.bin", flash());
    return true;
}

bool EspClass::flashWrite(uint32_t address, const uint32_t *data, size_t size)
{
    return address % 4 == 0 && size % 4 == 0 && reinterpret_cast<uintptr_t>(data) % 4 == 0 &&
           flashWrite(address, reinterpret_cast<const uint8_t *>(data), size);
}

bool EspClass::flashWrite(uint32_t address, const uint8_t *data, size_t size)
{
    if (!is_ours(address, size)) {
        return false;
    }
    for (size_t at = 0; at < size; at++) {
        flash()[address - kFirst + at] &= data[at];
    }
    save("flash.bin", flash());
    return true;
}

bool EspClass::flashRead(uint32_t address, uint32_t *data, size_t size)
{
    return address % 4 == 0 && size % 4 == 0 &&
           flashRead(address, reinterpret_cast<uint8_t *>(data), size);
}

bool EspClass::flashRead(uint32_t address, uint8_t *data, size_t size)
{
    if (!is_ours(address, size)) {
        return false;
    }
    memcpy(data, flash().data() + (address - kFirst), size);
    return true;
}

uint8_t *EspClass::random(uint8_t *resultArray, const size_t outputSizeBytes)
{
    return getrandom(resultArray, outputSizeBytes, 0) < 0 ? nullptr : resultArray;
}

uint32_t EspClass::random()
{
    uint32_t value = 0;
    random(reinterpret_cast<uint8_t *>(&value), sizeof value);
    return value;
}

int main()
{
    setup();
    for (;;) {
        loop();
        delay(1);
    }
}
