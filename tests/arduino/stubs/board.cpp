// The board of the stubs: files in $BOARD, so that a next start finds what this one left.
//
//   flash.bin     the two sectors of the library; settings.bin the last two of the file system
//   rtc.bin       RTC memory
//   pins          what a test puts on them, a line for each: 0=LOW
//   heap          how many bytes of it are free; 40000 without it
//   reset         why the next start happens, an rst_reason, once; without it power, or a restart
//
// Deep sleep ends the program with exit code 42; a restart executes it anew.
#include <Arduino.h>
#include <flash_hal.h>
#include <stdarg.h>
#include <sys/random.h>
#include <time.h>
#include <poll.h>
#include <unistd.h>
#include <user_interface.h>

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
    // Whole or not at all, whenever the program is killed.
    const std::string whole = path(name), part = whole + ".new";
    std::ofstream file(part, std::ios::binary);
    file.write(reinterpret_cast<const char *>(memory.data()),
               static_cast<std::streamsize>(memory.size()));
    file.close();
    if (rename(part.c_str(), whole.c_str()) != 0) {
        perror(name);
        abort();
    }
}

// Sectors that may be written: any other belongs to somebody else.
struct Region {
    const char *name;
    uint32_t first; // address of the first of two sectors
    std::vector<uint8_t> memory;

    Region(const char *file, uint32_t at)
        : name(file), first(at - 0x40200000), memory(load(file, 2 * kSector, 0xff))
    {
    }
    bool has(uint32_t address, size_t size) const
    {
        return address >= first && size <= 2 * kSector && address + size <= first + 2 * kSector;
    }
    uint8_t *at(uint32_t address) { return memory.data() + (address - first); }
};

// nullptr: not ours.
Region *region(uint32_t address, size_t size)
{
    static Region regions[] = {{"flash.bin", EEPROM_start - kSector},
                               {"settings.bin", FS_end - 2 * kSector}};
    for (Region &each : regions) {
        if (each.has(address, size)) {
            return &each;
        }
    }
    return nullptr;
}

std::vector<uint8_t> &rtc()
{
    static std::vector<uint8_t> memory = load("rtc.bin", kRtcBytes, 0x5a);
    return memory;
}

// Why the program runs. The restart says so in its environment, a test in a file.
uint32_t reset_reason()
{
    uint32_t reason = REASON_DEFAULT_RST;
    const char *const restarted = getenv("RESTARTED");
    if (restarted != nullptr) {
        reason = REASON_SOFT_RESTART;
        unsetenv("RESTARTED");
    }
    std::ifstream(path("reset")) >> reason;
    unlink(path("reset").c_str());
    return reason;
}

uint8_t modes[256];

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
void pinMode(uint8_t pin, uint8_t mode)
{
    modes[pin] = mode;
}
void digitalWrite(uint8_t pin, uint8_t val)
{
    Serial.printf("pin %d is %d\n", pin, val);
}
int digitalRead(uint8_t pin)
{
    std::ifstream file(path("pins"));
    const std::string low = std::to_string(pin) + "=LOW", high = std::to_string(pin) + "=HIGH";
    for (std::string line; std::getline(file, line);) {
        if (line == low || line == high) {
            return line == low ? LOW : HIGH;
        }
    }
    return modes[pin] == INPUT_PULLUP ? HIGH : LOW;
}

int analogRead(uint8_t)
{
    static int reading = 500;
    return reading++;
}

void HardwareSerial::begin(unsigned long) {}
size_t HardwareSerial::setRxBufferSize(size_t size)
{
    return size;
}
void HardwareSerial::flush(void) {}

int HardwareSerial::available(void)
{
    pollfd input = {STDIN_FILENO, POLLIN, 0};
    return poll(&input, 1, 0) == 1 && (input.revents & POLLIN) != 0;
}

int HardwareSerial::read(void)
{
    uint8_t byte;
    return available() && ::read(STDIN_FILENO, &byte, 1) == 1 ? byte : -1;
}

static size_t print_all(const char *format, va_list arguments)
{
    const int count = vprintf(format, arguments);
    fflush(stdout);
    return static_cast<size_t>(count);
}

size_t HardwareSerial::printf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const size_t count = print_all(format, arguments);
    va_end(arguments);
    return count;
}

size_t HardwareSerial::printf_P(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const size_t count = print_all(format, arguments);
    va_end(arguments);
    return count;
}

size_t HardwareSerial::print(const char *text)
{
    return printf("%s", text);
}
size_t HardwareSerial::print(const __FlashStringHelper *text)
{
    return print(reinterpret_cast<const char *>(text));
}
size_t HardwareSerial::println(const char *text)
{
    return printf("%s\n", text);
}
size_t HardwareSerial::println(const __FlashStringHelper *text)
{
    return println(reinterpret_cast<const char *>(text));
}
size_t HardwareSerial::println(void)
{
    return printf("\n");
}

size_t HardwareSerial::write(const uint8_t *buffer, size_t size)
{
    return printf("%.*s", static_cast<int>(size), reinterpret_cast<const char *>(buffer));
}

void EspClass::restart()
{
    fflush(stdout);
    setenv("RESTARTED", "1", 1);
    // Connections end, and what came over the serial port stays in its buffer.
    close_range(3, ~0U, 0);
    execl("/proc/self/exe", "/proc/self/exe", static_cast<char *>(nullptr));
    abort();
}

rst_info *EspClass::getResetInfoPtr()
{
    static rst_info info = {reset_reason(), 0, 0, 0, 0, 0, 0};
    return &info;
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

// Of the chip once Wi-Fi is up: the host's own heap says nothing.
uint32_t EspClass::getFreeHeap()
{
    std::ifstream file(path("heap"));
    uint32_t bytes = 40000;
    file >> bytes;
    return bytes == 0 ? 40000 : bytes;
}
uint32_t EspClass::getMaxFreeBlockSize()
{
    return getFreeHeap() - 1000;
}

uint32_t EspClass::getChipId()
{
    return 11242238;
}

bool EspClass::flashEraseSector(uint32_t sector)
{
    Region *const ours = region(sector * kSector, kSector);
    if (ours == nullptr) {
        return false;
    }
    memset(ours->at(sector * kSector), 0xff, kSector);
    save(ours->name, ours->memory);
    return true;
}

bool EspClass::flashWrite(uint32_t address, const uint32_t *data, size_t size)
{
    return address % 4 == 0 && size % 4 == 0 && reinterpret_cast<uintptr_t>(data) % 4 == 0 &&
           flashWrite(address, reinterpret_cast<const uint8_t *>(data), size);
}

bool EspClass::flashWrite(uint32_t address, const uint8_t *data, size_t size)
{
    Region *const ours = region(address, size);
    if (ours == nullptr) {
        return false;
    }
    for (size_t at = 0; at < size; at++) {
        ours->at(address)[at] &= data[at];
    }
    save(ours->name, ours->memory);
    return true;
}

bool EspClass::flashRead(uint32_t address, uint32_t *data, size_t size)
{
    return address % 4 == 0 && size % 4 == 0 &&
           flashRead(address, reinterpret_cast<uint8_t *>(data), size);
}

bool EspClass::flashRead(uint32_t address, uint8_t *data, size_t size)
{
    Region *const ours = region(address, size);
    if (ours == nullptr) {
        return false;
    }
    memcpy(data, ours->at(address), size);
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
