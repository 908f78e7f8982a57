// Stands in for the core's IPAddress, IPv4 alone. The number is in the network's order.
#pragma once

#include <WString.h>

#include <cstdint>

class IPAddress
{
  public:
    IPAddress(uint32_t address = 0) : address_(address) {}
    IPAddress(uint8_t first, uint8_t second, uint8_t third, uint8_t fourth)
        : address_(static_cast<uint32_t>(first) | static_cast<uint32_t>(second) << 8 |
                   static_cast<uint32_t>(third) << 16 | static_cast<uint32_t>(fourth) << 24)
    {
    }
    bool fromString(const char *address);
    bool isSet() const { return address_ != 0; }
    operator uint32_t() const { return address_; }
    bool operator==(const IPAddress &other) const { return address_ == other.address_; }
    uint8_t operator[](int index) const { return static_cast<uint8_t>(address_ >> (8 * index)); }
    String toString() const;

  private:
    uint32_t address_;
};
