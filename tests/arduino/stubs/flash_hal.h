// The flash of a board of 4 MB with a file system of 2 MB: as the linker script 4m2m has it.
#pragma once

#include <cstdint>

#define FS_start ((uint32_t)0x40400000)
#define FS_end ((uint32_t)0x405FA000)
#define EEPROM_start ((uint32_t)0x405FB000)
