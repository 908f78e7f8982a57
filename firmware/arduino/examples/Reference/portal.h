// Configure mode: an access point of the board's own, with one page. It keeps what it needs on the
// heap, and only while it is open: run mode never shares it.
//
//   portal_open();                   // in setup(), in configure mode
//   if (!portal_loop()) restart;     // in loop()
#pragma once

#include <stdint.h>

// Without a request of somebody who uses the page it is over after the first; in any case after the
// second. In ms.
#if !defined(PORTAL_IDLE_MS)
#define PORTAL_IDLE_MS 300000
#endif
#if !defined(PORTAL_LAST_MS)
#define PORTAL_LAST_MS 1200000
#endif

// Sets the stored mode back to run, so that a power cut never leaves the board here; then opens
// the access point, and prints its name and its password. False: it cannot, restart.
bool portal_open();

// False: it is over (settings were saved, the button, the page's own, the time): restart.
bool portal_loop();
