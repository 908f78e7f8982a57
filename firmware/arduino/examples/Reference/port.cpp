#include "port.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"

namespace
{

// A line that begins with none of these is somebody else's.
const char *const kCommands[] = {"espseal?", "begin", "set ", "save ", "get", "mode ", "erase "};
constexpr size_t kRoomStep = 128;

int serial_read()
{
    return Serial.read();
}

void serial_print(const char *text)
{
    Serial.print(text);
}

// Whether the line can still become a command.
bool may_be_command(const char *line, size_t bytes)
{
    for (const char *command : kCommands) {
        const size_t length = strlen(command);
        if (memcmp(line, command, bytes < length ? bytes : length) == 0) {
            return true;
        }
    }
    return false;
}

// What follows the command and a space; nullptr: it is another command.
char *after(char *line, const char *command)
{
    const size_t bytes = strlen(command);
    return strncmp(line, command, bytes) == 0 ? line + bytes : nullptr;
}

} // namespace

void Port::begin(Mode mode, const Settings &settings, const char *version)
{
    begin(mode, settings, version, serial_read, serial_print);
}

void Port::begin(Mode mode, const Settings &settings, const char *version, Read read, Print print)
{
    mode_ = mode;
    settings_ = &settings;
    version_ = version;
    read_ = read;
    print_ = print;
}

void Port::loop()
{
    // Whoever never stops sending must not stop the rest.
    for (size_t count = 0; count < 1024 && read_ != nullptr && !restart_wanted_; count++) {
        const int byte = read_();
        if (byte < 0) {
            return;
        }
        take(static_cast<char>(byte));
    }
}

void Port::take(char byte)
{
    if (byte != '\n') {
        if (!skipping_ && !hold(byte)) {
            drop_line();
            skipping_ = true;
        }
        return;
    }
    if (!skipping_ && used_ > 0) {
        used_ -= line_[used_ - 1] == '\r';
        line_[used_] = '\0';
        // A zero in it would hide what follows.
        if (strlen(line_) == used_) {
            obey(line_);
        }
    }
    drop_line();
    skipping_ = false;
}

// False: the rest of the line is of no interest.
bool Port::hold(char byte)
{
    if (used_ == kLineBytesMax) {
        error("line", F("The line is longer than 4096 bytes: shorten it."));
        return false;
    }
    if (used_ + 1 >= room_) {
        char *const more = static_cast<char *>(malloc(room_ + kRoomStep));
        if (more == nullptr) {
            error("line", F("There is not memory enough: restart the board and try again."));
            return false;
        }
        memcpy(more, used_ > 0 ? line_ : "", used_);
        const size_t used = used_, room = room_ + kRoomStep;
        drop_line();
        line_ = more;
        used_ = used;
        room_ = room;
    }
    line_[used_++] = byte;
    return may_be_command(line_, used_) || byte == '\r';
}

void Port::drop_line()
{
    wipe(line_, used_);
    free(line_);
    line_ = nullptr;
    used_ = room_ = 0;
}

void Port::obey(char *line)
{
    char *arguments;
    if (strcmp(line, "espseal?") == 0) {
        identify();
    } else if (strcmp(line, "begin") == 0) {
        draft_.clear();
        ok();
    } else if (strcmp(line, "get") == 0) {
        show();
    } else if ((arguments = after(line, "set ")) != nullptr) {
        set(arguments);
    } else if ((arguments = after(line, "save ")) != nullptr) {
        save(arguments);
    } else if ((arguments = after(line, "mode ")) != nullptr) {
        change_mode(arguments);
    } else if ((arguments = after(line, "erase ")) != nullptr) {
        erase(arguments);
    }
}

void Port::identify()
{
    char address[17];
    provision_address(address);
    print_("espseal 1 ");
    print_(mode_word(mode_));
    print_(" ");
    print_(address);
    print_(" ");
    print_(version_);
    print_("\n");
}

void Port::set(char *arguments)
{
    char *const space = strchr(arguments, ' ');
    char *const value = space == nullptr ? arguments + strlen(arguments) : space + 1;
    Problem problem = {nullptr, nullptr};
    if (space != nullptr) {
        *space = '\0';
    }
    const Field *const field = field_of(arguments);
    if (!percent_decode(value)) {
        error(field == nullptr ? "set" : field->name,
              F("After a percent sign come two hex digits, and not 00: send %25 for the sign."));
    } else if (!draft_.set(arguments, value, &problem)) {
        error(problem.field, problem.sentence);
    } else {
        ok();
    }
}

void Port::save(const char *sum)
{
    uint8_t bytes[4];
    uint32_t expected;
    Problem problem = {nullptr, nullptr};
    if (!hex_decode(sum, bytes, sizeof bytes)) {
        error("save", F("Send the CRC-32 as 8 hex digits."));
        return;
    }
    const uint32_t sent = static_cast<uint32_t>(bytes[0]) << 24 |
                          static_cast<uint32_t>(bytes[1]) << 16 |
                          static_cast<uint32_t>(bytes[2]) << 8 | bytes[3];
    if (!draft_.checksum(&expected)) {
        error("save", F("There is not memory enough: restart the board and try again."));
    } else if (sent != expected) {
        error("save", F("What came is not what was sent: begin again."));
    } else if (!draft_.commit(&problem)) {
        error(problem.field, problem.sentence);
        // Not the input but the board is at fault, perhaps half way: it begins anew.
        restart_wanted_ = field_of(problem.field) == nullptr;
    } else {
        print_("espseal saved ");
        print_(draft_.settings.get("address"));
        print_("\n");
        draft_.clear();
        restart_wanted_ = true;
    }
}

void Port::show()
{
    for (size_t at = 0; at < kKeptFieldCount; at++) {
        const Field &field = kFields[at];
        if (settings_->given(field.name)) {
            print_("espseal ");
            print_(field.name);
            print_(" ");
            print_(field.secret() ? "*" : settings_->get(field.name));
            print_("\n");
        }
    }
    ok();
}

void Port::change_mode(const char *word)
{
    if (strcmp(word, "configure") == 0) {
        boot_configure_next();
    } else if (strcmp(word, "run") != 0) {
        error("mode", F("Say run or configure."));
        return;
    } else if (provision_mode() != 0 && !provision_set_mode(0)) {
        error("mode", F("The flash cannot be written."));
        return;
    }
    ok();
    restart_wanted_ = true;
}

void Port::erase(const char *address)
{
    char stored[17];
    provision_address(stored);
    if (strcmp(stored, address) != 0) {
        error("erase", F("Another address is stored: ask for it with espseal?"));
    } else if (!provision_erase()) {
        error("erase", F("The flash cannot be erased."));
    } else {
        print_("espseal erased\n");
        restart_wanted_ = true;
    }
}

void Port::ok()
{
    print_("espseal ok\n");
}

void Port::error(const char *name, Sentence sentence)
{
    print_("espseal error ");
    print_(name);
    print_(" ");
    // Out of flash, in pieces.
    const char *at = reinterpret_cast<const char *>(sentence);
    char piece[33];
    size_t bytes;
    do {
        for (bytes = 0; bytes + 1 < sizeof piece && pgm_read_byte(at) != 0; bytes++) {
            piece[bytes] = static_cast<char>(pgm_read_byte(at++));
        }
        piece[bytes] = '\0';
        print_(piece);
    } while (bytes > 0);
    print_("\n");
}
