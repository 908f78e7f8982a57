// Stands in for the core's String: only what it has, with its names.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

class String
{
  public:
    String(const char *text = "") : text_(text == nullptr ? "" : text) {}
    String(const std::string &text) : text_(text) {} // the host's own
    explicit String(int value) : text_(std::to_string(value)) {}
    explicit String(unsigned value) : text_(std::to_string(value)) {}

    const char *c_str() const { return text_.c_str(); }
    unsigned length() const { return static_cast<unsigned>(text_.size()); }
    bool isEmpty() const { return text_.empty(); }
    bool reserve(unsigned size)
    {
        text_.reserve(size);
        return true;
    }
    bool equals(const char *other) const { return text_ == other; }
    bool startsWith(const String &prefix) const { return text_.rfind(prefix.text_, 0) == 0; }
    char operator[](unsigned index) const { return index < text_.size() ? text_[index] : '\0'; }
    bool operator==(const String &other) const { return text_ == other.text_; }
    bool operator==(const char *other) const { return text_ == other; }
    bool operator!=(const String &other) const { return text_ != other.text_; }
    bool operator!=(const char *other) const { return text_ != other; }
    String &operator+=(const String &other)
    {
        text_ += other.text_;
        return *this;
    }
    String &operator+=(const char *other)
    {
        text_ += other;
        return *this;
    }
    String &operator+=(char other)
    {
        text_ += other;
        return *this;
    }
    int toInt() const { return atoi(text_.c_str()); }

  private:
    std::string text_;
};

extern const String emptyString;
