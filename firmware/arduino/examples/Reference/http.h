// HTTP/1.1 as far as one page needs it: one request a connection, one connection at a time, in a
// buffer that does not grow. The core's ESP8266WebServer takes a body of any length, and an object
// on the heap for each argument that is in it: whoever is in the network could fill the heap. Here
// all that is not understood, too long or too slow gets its 4xx or 5xx and is forgotten.
#pragma once

#include <Arduino.h>
#include <ESP8266WiFi.h>
#include <WiFiServer.h>

#include "fields.h"

constexpr size_t kHttpHeadBytes = 3072;
constexpr size_t kHttpBodyBytes = 4608; // more than all settings together
constexpr size_t kHttpPathBytes = 16;

class Http
{
  public:
    // `own`: its address, which is what requests must be for.
    Http(uint16_t port, const IPAddress &own) : server_(port), own_(own) {}
    void begin() { server_.begin(); }

    // To be called often. True: a request is here whole, and must be answered at once.
    bool poll();
    // Whether it is this one; the path without what follows a '?'.
    bool is(const char *method, const char *path) const;
    bool has_path(const char *path) const;
    // May be written to. A NUL follows it.
    char *body() { return bytes_; }
    size_t body_bytes() const { return body_bytes_; }

    // Answers with the words of the status.
    void refuse(int status);
    // Answers; `text` lies in flash or RAM.
    void answer(int status, PGM_P type, PGM_P text);
    // Answers piece by piece, with JSON. What was the body is overwritten.
    void begin_json(int status);
    void put(const char *text);
    void put(Sentence text);
    void put_string(const char *text); // quoted
    void put_string(Sentence text);
    void put_number(uint32_t number);
    void end();

  private:
    enum class State : uint8_t { kFree, kHead, kBody, kWhole, kDraining };

    void read_more();
    size_t head_bytes() const;
    int read_head(size_t bytes);
    int read_line(char *line);
    int read_header(const char *name, const char *value);
    bool is_own(const char *host) const;
    void start(int status, PGM_P type, size_t bytes, bool known);
    void write(size_t bytes);
    void put_byte(char byte);
    void put_escaped(char byte);
    void forget();

    WiFiServer server_;
    IPAddress own_;
    WiFiClient client_;
    State state_ = State::kFree;
    uint32_t since_ = 0;
    // Of the request.
    bool post_ = false;
    bool method_known_ = false;
    bool host_given_ = false;
    bool host_own_ = false;
    bool length_given_ = false;
    bool encoded_ = false;
    bool from_page_ = false;
    bool foreign_ = false;
    bool broken_ = false;
    char path_[kHttpPathBytes] = "";
    size_t body_bytes_ = 0;
    size_t used_ = 0;
    // The head, then the body, then the answer.
    char bytes_[kHttpBodyBytes + 1] = "";
};
