"""``rtcmem``: 128 words of 32 bits that outlive a reset and deep sleep, not a loss of power.

Values are read back signed, as a 32-bit Lua integer has them. Indices outside 0 to 127 read
nothing and write nothing.
"""

from typing import TYPE_CHECKING

from espseal.simulator.board import RTC_WORDS
from espseal.simulator.lua import Arguments, Value

if TYPE_CHECKING:
    from espseal.simulator.machine import Machine


def define(machine: "Machine") -> None:
    """Defines ``rtcmem``."""
    board = machine.board

    def read32(*values: Value) -> tuple[int, ...]:
        arguments = Arguments("read32", values)
        start, count = arguments.integer(1), arguments.integer(2, 1)
        if not 0 <= start < RTC_WORDS or count < 1:
            return ()
        words = board.rtc[start : start + count]
        return tuple(word - 2**32 if word >= 2**31 else word for word in words)

    def write32(*values: Value) -> None:
        arguments = Arguments("write32", values)
        start = arguments.integer(1)
        for number in range(2, len(arguments) + 1):
            index = start + number - 2
            if 0 <= index < RTC_WORDS:
                board.rtc[index] = arguments.integer(number) % 2**32

    machine.lua.define("rtcmem", {"read32": read32, "write32": write32})
