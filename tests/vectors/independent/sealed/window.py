"""What a host remembers of a device's counters, and a device of its host's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SIZE: Final = 64
ALL: Final = (1 << SIZE) - 1
#: A beacon's seconds become a counter that no device reaches by counting.
BEACON_SHIFT: Final = 24


@dataclass
class Window:
    """The head and 64 bits; bit i is set if head - i was accepted, or must never be."""

    head: int
    bits: int

    def verdict(self, counter: int) -> str:
        """Say what a counter is, without taking it."""
        below = self.head - counter
        if below < 0:
            return "fresh"
        if below >= SIZE:
            return "replayed"
        return "duplicate" if self.bits >> below & 1 else "fresh"

    def take(self, counter: int) -> bool:
        """Mark a fresh counter; tell whether it was above the head."""
        assert self.verdict(counter) == "fresh", "not fresh"
        above = counter - self.head
        if above > 0:
            self.head = counter
            self.bits = (self.bits << above | 1) & ALL if above < SIZE else 1
            return True
        self.bits |= 1 << -above
        return False


def first_contact(counter: int, beacon_time: int | None) -> Window:
    """Return the window that a first frame opens; it is fresh, and lies in it."""
    floor = 0 if beacon_time is None else beacon_time << BEACON_SHIFT
    return Window(max(counter, floor), ALL)


@dataclass
class CommandHead:
    """The last accepted counter of one session: no window, nothing out of order."""

    last: int | None = None

    def verdict(self, counter: int) -> str:
        if self.last is None or counter > self.last:
            return "fresh"
        return "duplicate" if counter == self.last else "replayed"
