#include "http.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

namespace
{

// Browsers open connections ahead of what they may want to ask: one on which nothing came makes
// room for the next after the first, any is over after the second. In ms.
constexpr uint32_t kSilentMs = 200;
constexpr uint32_t kRequestMs = 5000;
// A peer that still sends what nobody reads would lose the answer if it were cut off at once.
constexpr uint32_t kDrainMs = 1000;
// What fits into a packet of Wi-Fi.
constexpr size_t kPieceBytes = 1460;

const char kHeaders[] PROGMEM =
    "Connection: close\r\n"
    "Cache-Control: no-store\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'\r\n";

Sentence words(int status)
{
    switch (status) {
    case 200:
        return F("OK");
    case 400:
        return F("Bad Request");
    case 403:
        return F("Forbidden");
    case 404:
        return F("Not Found");
    case 405:
        return F("Method Not Allowed");
    case 408:
        return F("Request Timeout");
    case 411:
        return F("Length Required");
    case 413:
        return F("Content Too Large");
    case 421:
        return F("Misdirected Request");
    case 422:
        return F("Unprocessable Content");
    case 431:
        return F("Request Header Fields Too Large");
    case 501:
        return F("Not Implemented");
    case 505:
        return F("HTTP Version Not Supported");
    default:
        return F("Internal Server Error");
    }
}

} // namespace

bool Http::poll()
{
    if (state_ == State::kFree) {
        if (!server_.hasClient()) {
            return false;
        }
        client_ = server_.accept();
        client_.setNoDelay(true);
        forget();
        since_ = millis();
        state_ = State::kHead;
    }
    const uint32_t waited = millis() - since_;
    const bool over = !client_.connected() && client_.available() <= 0;
    if (state_ == State::kDraining) {
        if (client_.available() > 0) {
            client_.read(reinterpret_cast<uint8_t *>(bytes_), sizeof bytes_);
        }
        if (over || waited >= kDrainMs) {
            client_.stop();
            state_ = State::kFree;
        }
        return false;
    }
    if (used_ == 0 && state_ == State::kHead &&
        (over || waited >= kRequestMs || (waited >= kSilentMs && server_.hasClient()))) {
        client_.stop();
        state_ = State::kFree;
        return false;
    }
    read_more();
    if ((over || waited >= kRequestMs) && (state_ == State::kHead || state_ == State::kBody)) {
        refuse(over ? 400 : 408);
    }
    return state_ == State::kWhole;
}

bool Http::is(const char *method, const char *path) const
{
    return strcmp(method, post_ ? "POST" : "GET") == 0 && has_path(path);
}

bool Http::has_path(const char *path) const
{
    return strcmp(path, path_) == 0;
}

void Http::read_more()
{
    const size_t room = (state_ == State::kHead ? kHttpHeadBytes : body_bytes_) - used_;
    if (room > 0) {
        const int count = client_.available() > 0
                              ? client_.read(reinterpret_cast<uint8_t *>(bytes_ + used_), room)
                              : 0;
        if (count > 0) {
            used_ += static_cast<size_t>(count);
        }
    }
    if (state_ == State::kHead) {
        const size_t head = head_bytes();
        if (head == 0) {
            if (used_ == kHttpHeadBytes) {
                refuse(431);
            }
            return;
        }
        const int problem = read_head(head);
        if (problem != 0) {
            refuse(problem);
            return;
        }
        // More than the body is another request, which the closed connection answers.
        used_ = used_ - head < body_bytes_ ? used_ - head : body_bytes_;
        memmove(bytes_, bytes_ + head, used_);
        state_ = State::kBody;
    }
    if (state_ == State::kBody && used_ == body_bytes_) {
        bytes_[used_] = '\0';
        state_ = State::kWhole;
    }
}

// With the empty line that ends it; 0: it is not whole yet.
size_t Http::head_bytes() const
{
    for (size_t at = 4; at <= used_; at++) {
        if (memcmp(bytes_ + at - 4, "\r\n\r\n", 4) == 0) {
            return at;
        }
    }
    return 0;
}

// The status that it is refused with; 0: none.
int Http::read_head(size_t bytes)
{
    char *line = bytes_;
    char *const end = bytes_ + bytes - 2;
    for (bool first = true; line < end; first = false) {
        char *stop = line;
        while (stop[0] != '\r') {
            const unsigned char byte = static_cast<unsigned char>(*stop++);
            if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
                return 400;
            }
        }
        if (stop[1] != '\n') {
            return 400;
        }
        *stop = '\0';
        int problem;
        if (first) {
            problem = read_line(line);
        } else {
            char *const colon = strchr(line, ':');
            if (colon == nullptr || colon == line || strcspn(line, " \t") < size_t(colon - line)) {
                return 400;
            }
            *colon = '\0';
            char *value = colon + 1 + strspn(colon + 1, " \t");
            for (char *last = stop; last > value && (last[-1] == ' ' || last[-1] == '\t');) {
                *--last = '\0';
            }
            problem = read_header(line, value);
        }
        if (problem != 0) {
            return problem;
        }
        line = stop + 2;
    }
    if (!host_own_) {
        // A name that somebody else's DNS points here: its page must not talk to this one.
        return host_given_ ? 421 : 400;
    }
    if (!method_known_) {
        return 405;
    }
    if (encoded_) {
        return 501;
    }
    if (!post_) {
        return body_bytes_ == 0 ? 0 : 400;
    }
    // Another site's page cannot set this header without asking first, which is not granted.
    if (!from_page_ || foreign_) {
        return 403;
    }
    return length_given_ ? 0 : 411;
}

int Http::read_line(char *line)
{
    char *const path = strchr(line, ' ');
    char *const version = path == nullptr ? nullptr : strchr(path + 1, ' ');
    if (version == nullptr || path == line || path[1] != '/') {
        return 400;
    }
    *path = '\0';
    *version = '\0';
    if (strcmp(version + 1, "HTTP/1.1") != 0 && strcmp(version + 1, "HTTP/1.0") != 0) {
        return strncmp(version + 1, "HTTP/", 5) == 0 ? 505 : 400;
    }
    post_ = strcmp(line, "POST") == 0;
    method_known_ = post_ || strcmp(line, "GET") == 0;
    path[1 + strcspn(path + 1, "?")] = '\0';
    // A longer one is none of ours.
    if (strlen(path + 1) < sizeof path_) {
        strcpy(path_, path + 1);
    }
    return 0;
}

int Http::read_header(const char *name, const char *value)
{
    if (strcasecmp(name, "Host") == 0) {
        if (host_given_) {
            return 400;
        }
        host_given_ = true;
        host_own_ = is_own(value);
    } else if (strcasecmp(name, "Content-Length") == 0) {
        const size_t digits = strspn(value, "0123456789");
        if (length_given_ || digits == 0 || value[digits] != '\0') {
            return 400;
        }
        length_given_ = true;
        while (*value == '0' && value[1] != '\0') {
            value++;
        }
        if (strlen(value) > 5 || strtoul(value, nullptr, 10) > kHttpBodyBytes) {
            return 413;
        }
        body_bytes_ = strtoul(value, nullptr, 10);
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        encoded_ = true;
    } else if (strcasecmp(name, "X-Espseal") == 0) {
        from_page_ = strcmp(value, "1") == 0;
    } else if (strcasecmp(name, "Origin") == 0) {
        foreign_ = foreign_ || strncmp(value, "http://", 7) != 0 || !is_own(value + 7);
    }
    return 0;
}

// Its address, with any port.
bool Http::is_own(const char *host) const
{
    char text[16];
    snprintf(text, sizeof text, "%u.%u.%u.%u", own_[0], own_[1], own_[2], own_[3]);
    const size_t length = strlen(text);
    if (strncmp(host, text, length) != 0) {
        return false;
    }
    const char *const port = host + length;
    return *port == '\0' || (*port == ':' && port[1 + strspn(port + 1, "0123456789")] == '\0');
}

void Http::refuse(int status)
{
    answer(status, PSTR("text/plain"), reinterpret_cast<PGM_P>(words(status)));
}

void Http::answer(int status, PGM_P type, PGM_P text)
{
    const bool whole = state_ == State::kWhole;
    size_t left = strlen_P(text);
    start(status, type, left, true);
    write(used_);
    while (left > 0 && !broken_) {
        const size_t piece = left < kPieceBytes ? left : kPieceBytes;
        memcpy_P(bytes_, text, piece);
        write(piece);
        text += piece;
        left -= piece;
    }
    if (whole) {
        client_.stop();
        state_ = State::kFree;
    } else {
        since_ = millis();
        state_ = State::kDraining;
    }
    forget();
}

void Http::begin_json(int status)
{
    start(status, PSTR("application/json"), 0, false);
}

void Http::put(const char *text)
{
    while (*text != '\0') {
        put_byte(*text++);
    }
}

void Http::put(Sentence text)
{
    for (PGM_P at = reinterpret_cast<PGM_P>(text); pgm_read_byte(at) != 0; at++) {
        put_byte(static_cast<char>(pgm_read_byte(at)));
    }
}

void Http::put_string(const char *text)
{
    put_byte('"');
    while (*text != '\0') {
        put_escaped(*text++);
    }
    put_byte('"');
}

void Http::put_string(Sentence text)
{
    put_byte('"');
    for (PGM_P at = reinterpret_cast<PGM_P>(text); pgm_read_byte(at) != 0; at++) {
        put_escaped(static_cast<char>(pgm_read_byte(at)));
    }
    put_byte('"');
}

void Http::put_number(uint32_t number)
{
    char text[11];
    snprintf(text, sizeof text, "%u", static_cast<unsigned>(number));
    put(text);
}

// The closed connection is its end.
void Http::end()
{
    write(used_);
    client_.stop();
    state_ = State::kFree;
    forget();
}

void Http::start(int status, PGM_P type, size_t bytes, bool known)
{
    used_ = 0;
    put(F("HTTP/1.1 "));
    put_number(static_cast<uint32_t>(status));
    put(" ");
    put(words(status));
    put("\r\n");
    put(reinterpret_cast<Sentence>(kHeaders));
    if (status == 405) {
        put(F("Allow: GET, POST\r\n"));
    }
    if (known) {
        put(F("Content-Length: "));
        put_number(static_cast<uint32_t>(bytes));
        put("\r\n");
    }
    put(F("Content-Type: "));
    put(reinterpret_cast<Sentence>(type));
    put(F("; charset=utf-8\r\n\r\n"));
}

// For a peer that takes nothing it waits as long as the client does, once.
void Http::write(size_t bytes)
{
    broken_ = broken_ || client_.write(reinterpret_cast<const uint8_t *>(bytes_), bytes) != bytes;
    used_ = 0;
}

void Http::put_byte(char byte)
{
    if (used_ == kPieceBytes) {
        write(used_);
    }
    bytes_[used_++] = byte;
}

void Http::put_escaped(char byte)
{
    if (static_cast<unsigned char>(byte) < 0x20) {
        char escaped[8];
        snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(byte));
        put(escaped);
        return;
    }
    if (byte == '"' || byte == '\\') {
        put_byte('\\');
    }
    put_byte(byte);
}

// Keys may have been in it.
void Http::forget()
{
    memset(bytes_, 0, sizeof bytes_);
    path_[0] = '\0';
    used_ = 0;
    body_bytes_ = 0;
    post_ = method_known_ = host_given_ = host_own_ = length_given_ = false;
    encoded_ = from_page_ = foreign_ = broken_ = false;
}
