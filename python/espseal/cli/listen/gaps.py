"""Counters of sealed devices that did not come."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from espseal import Message

# A device that restarts skips no more than it has reserved (SEALED.md, D1), and a host that lifts
# one skips many more; what is a gap in readings is shorter.
_LONGEST: Final = 1024


@dataclass
class _Known:
    head: int
    absent: set[int] = field(default_factory=set)


class Gaps:
    """Follows the counters of each device, since it was first heard here."""

    def __init__(self) -> None:
        self.missing: Counter[str] = Counter()
        """How many have not come so far, for each name."""
        self._known: dict[str, _Known] = {}

    def note(self, message: Message) -> int:
        """Takes a message; how many counters right before it have not come.

        What a hello or a control frame comes after was skipped: those follow a restart.
        """
        if message.address is None or message.counter is None:
            return 0
        counter = message.counter
        known = self._known.setdefault(message.address, _Known(counter))
        name = message.device or message.address
        if counter <= known.head:
            self.missing[name] -= counter in known.absent
            known.absent.discard(counter)
            return 0
        first, known.head = known.head + 1, counter
        missing = counter - first
        if message.kind != "data" or missing > _LONGEST:
            return 0
        # Only the newest can still come.
        absent = (*known.absent, *range(first, counter))
        known.absent = {each for each in absent if each >= counter - _LONGEST}
        self.missing[name] += missing
        return missing
