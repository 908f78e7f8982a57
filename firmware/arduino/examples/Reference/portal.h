// Configure mode: an access point of the board's own, WPA2, with one page. What it needs is on the
// heap, and there only while it is open: run mode never shares it.
//
//   if (!portal_open(settings, stored, version)) boot_restart();     // in setup()
//   if (!portal_loop()) boot_restart();                              // in loop()
#pragma once

#include "provision.h"

// In ms: how long it stays when nobody uses the page (each page, save, and typing on the page
// begins it anew), and how long at most.
#if !defined(PORTAL_IDLE_MS)
#define PORTAL_IDLE_MS 300000
#endif
#if !defined(PORTAL_LAST_MS)
#define PORTAL_LAST_MS 1200000
#endif

// Sees to it that the next boot runs, so that a power cut leaves no board in its access point; then
// opens it, and prints its name and its password. Both `settings`, what is stored, and `version`,
// the sketch's, stay valid. False: it cannot.
bool portal_open(const Settings &settings, Stored stored, const char *version);

// False: it is over, by a save, by the button FLASH, by the page's, or because of the time.
bool portal_loop();
