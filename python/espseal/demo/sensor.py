"""What the simulated nodes measure."""

import threading
from typing import Final

from espseal.demo.ledger import Ledger
from espseal.simulator import LuaSource

_NOTHING: Final = 0
# What a person would write in config.lua for a thermometer that gives tenths of a degree.
SENSOR: Final = LuaSource(
    f"function() local t = adc.read(0) if t == {_NOTHING} then return nil end"
    ' return ("%d.%d C"):format((t - t % 10) / 10, t % 10) end'
)


class Sensor:
    """A thermometer that grows warmer, so that no reading can pass for another.

    Arguments:
        name: of the device that it belongs to.
        tenths: of a degree, before the first reading; the ADC ends at 1024.
        ledger: told of each reading.
    """

    def __init__(self, name: str, tenths: int, ledger: Ledger) -> None:
        self.name = name
        self._tenths = tenths
        self._ledger = ledger
        self._granted = 0
        self._counts = True
        self._lock = threading.Lock()

    def grant(self, readings: int, *, counts: bool = True) -> None:
        """Has so many readings more; one that does not count is not meant to arrive."""
        with self._lock:
            self._granted += readings
            self._counts = counts

    def read(self) -> int:
        """What the ADC says; called in the node's thread."""
        with self._lock:
            if self._granted == 0:
                return _NOTHING
            self._granted -= 1
            self._tenths += 1
            if self._counts:
                self._ledger.gave(self.name, f"{self._tenths // 10}.{self._tenths % 10} C")
            return self._tenths
