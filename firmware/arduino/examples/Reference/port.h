// Provisioning over the serial port: lines that a program reads and writes (`espseal provision
// --port`), beside text that people read. Whoever has the port has the flash, so it works in every
// mode and asks for no password; but no secret is ever printed.
//
//   espseal?                 espseal 1 MODE ADDRESS-or-none SKETCH-VERSION
//   begin                    espseal ok                    the draft is empty
//   set NAME VALUE           espseal ok                    VALUE is percent-encoded UTF-8
//   save CRC                 espseal saved ADDRESS         and restarts; CRC: Draft::checksum, hex
//   get                      espseal NAME VALUE ..., espseal ok: what is stored; * for a secret
//   mode run|configure       espseal ok                    and restarts
//   erase ADDRESS-or-none    espseal erased                and restarts; the address, for certainty
//
// or `espseal error NAME SENTENCE`, where NAME is a field, the command, or `settings`: then memory
// or flash has failed, and after a save the board restarts. A save without device_key keeps the
// identity. Any other line is ignored.
#pragma once

#include "boot.h"

// The longest line, without its end.
constexpr size_t kLineBytesMax = 4096;

class Port
{
  public:
    // A byte, or -1 if none has come; text to be sent as it is.
    using Read = int (*)();
    using Print = void (*)(const char *text);

    ~Port() { drop_line(); }

    // `settings` is what is stored and `version` the sketch's; both stay valid. After Serial.begin.
    // A larger buffer of Serial (setRxBufferSize(512) before begin) helps while run mode is busy.
    void begin(Mode mode, const Settings &settings, const char *version);
    void begin(Mode mode, const Settings &settings, const char *version, Read read, Print print);

    // Takes what has come. In loop(), in each mode; then: if (port.restart_wanted())
    // boot_restart(); before anything else writes to flash.
    void loop();
    bool restart_wanted() const { return restart_wanted_; }

  private:
    void take(char byte);
    bool hold(char byte);
    void drop_line();
    void obey(char *line);
    void identify();
    void set(char *arguments);
    void save(const char *sum);
    void show();
    void change_mode(const char *word);
    void erase(const char *address);
    void ok();
    void error(const char *name, Sentence sentence);

    Mode mode_ = Mode::kUnprovisioned;
    const Settings *settings_ = nullptr;
    const char *version_ = "";
    Read read_ = nullptr;
    Print print_ = nullptr;
    Draft draft_;
    char *line_ = nullptr;
    size_t used_ = 0;
    size_t room_ = 0;
    bool skipping_ = false; // the rest of a line that is nobody's, or too long
    bool restart_wanted_ = false;
};
