"""What has come so far: the latest of each sender, and how many got each verdict."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from espseal import Verdict
from espseal.cli.listen.received import Received


@dataclass
class Sender:
    """The latest of one sender."""

    latest: Received
    count: int = 0


# Whoever writes on the topic can claim as many addresses.
_STRANGERS: Final = 100


@dataclass
class Tally:
    """Counts what was received.

    Arguments:
        missing: how many readings of each sealed device have not come (`Gaps`).
    """

    missing: Counter[str] = field(default_factory=Counter)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    devices: dict[str, Sender] = field(default_factory=dict)
    strangers: dict[str, Sender] = field(default_factory=dict)

    def add(self, received: Received) -> None:
        """Counts one message."""
        verdict = received.message.verdict
        self.verdicts[verdict] += 1
        if verdict == Verdict.FRESH:
            _note(self.devices, received)
        elif verdict == Verdict.UNKNOWN_DEVICE and (
            received.sender in self.strangers or len(self.strangers) < _STRANGERS
        ):
            _note(self.strangers, received)

    @property
    def fresh(self) -> int:
        """How many readings."""
        return self.verdicts[Verdict.FRESH]

    def summary(self) -> str:
        """How it went, as one sentence."""
        seconds = (datetime.now(UTC) - self.began).total_seconds()
        parts = [f"{self.fresh} fresh"]
        if self.devices:
            parts[0] += f" from {counted(len(self.devices), 'device')}"
        if missing := self.missing.total():
            parts.append(f"{missing} missing")
        parts += [f"{self.verdicts[verdict]} {verdict}" for verdict in self.refused]
        return f"{', '.join(parts)}, in {_duration(round(seconds))}."

    @property
    def refused(self) -> list[Verdict]:
        """The other verdicts that occurred."""
        return [v for v in reversed(Verdict) if v != Verdict.FRESH and self.verdicts[v]]


def counted(number: int, noun: str) -> str:
    """``1 device``, ``2 devices``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _note(senders: dict[str, Sender], received: Received) -> None:
    sender = senders.setdefault(received.sender, Sender(received))
    sender.latest = received
    sender.count += 1


def _duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
