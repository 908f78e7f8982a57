// Which mode the board starts in. They never share the heap: to change the mode is to restart.
//
// RTC memory, which a reset leaves and a power cut does not, counts the boots that came to nothing.
// Words 50 to 52; the library has 32 to 49.
#pragma once

#include "provision.h"

enum class Mode : uint8_t { kRun = 0, kConfigure = 1, kUnprovisioned, kSafe };

constexpr unsigned kBadBootsMax = 5;
#if !defined(DOUBLE_RESET_MS)
#define DOUBLE_RESET_MS 4000
#endif
#if !defined(HELD_MS)
#define HELD_MS 3000
#endif
#if !defined(WELL_MS)
#define WELL_MS 60000
#endif
// GPIO0 is the button FLASH. Low while the power comes, it starts the chip's loader instead of the
// sketch: it counts once the sketch runs.
constexpr uint8_t kButton = 0;

// Counts the boot: first thing in setup(), so that whatever crashes after it is counted. False: it
// crashed in safe mode, too; then leave alone what is stored (Stored::kNothing).
bool boot_begin();

// Decides, once:
//   kConfigure      the reset button was pressed twice within 4 s, or FLASH was held for 3 s and
//   let
//                   go (it restarts then), or the serial port said so, whatever is stored
//   kSafe           five boots or more ended in a crash before boot_well
//   kUnprovisioned  nothing to run with is stored
//   kConfigure      the host has asked for it (control frame); the record says run again before
//                   this returns, so that the boot after it runs
//   kRun            otherwise
// A boot is bad if it ended before boot_well by a watchdog, an exception, a restart that was not
// boot_restart, or a supply that dipped; a press of the reset button is neither good nor bad.
Mode boot_mode(Stored stored);

// Why it is that mode; how many bad boots came before this one.
Sentence boot_why();
unsigned boot_bad();

// Watches the button, forgets the first reset when it is too long ago, and says boot_well after
// 60 s, except in safe mode: that ends with `mode run` on the serial port, or with the power. In
// loop(), in each mode.
void boot_loop();

// The board was connected: the count begins anew, and a crash after this is not counted.
void boot_well();

// Restarts on purpose, which is no bad boot.
[[noreturn]] void boot_restart();
// The next restart leads into configure mode: somebody at the board wants it.
void boot_configure_next();

// "run", "configure", "unprovisioned", "safe".
const char *mode_word(Mode mode);
