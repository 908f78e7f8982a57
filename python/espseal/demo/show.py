"""How the story is told: `Silent` for ``--json``, `Plain` for a pipe, `live.Live` on a terminal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from rich.console import Console
from rich.text import Text

from espseal.demo.judge import Report
from espseal.demo.summary import ending, summary_table

ACTS: Final = {
    1: (
        "Readings arrive",
        "Four nodes run the Lua firmware, three the classic one and `boiler` the sealed one.\n"
        "Left of the arrow: what your program gets. Right: all that the broker can see.",
    ),
    2: (
        "The attacks",
        "Someone at the broker hears everything, may publish anything, and has no key.",
    ),
    3: (
        "A sealed node",
        "`boiler` has a key of its own, which no other node knows, and takes commands.\n"
        "The attacker has noted every frame, from it and to it.",
    ),
    4: ("The summary", ""),
}


@dataclass(frozen=True)
class Step:
    """What is tried in the second act or the third, and what has come of it so far.

    Arguments:
        name, how: what it is, in a word and in a sentence.
        messages: how many are sent, or what else is done.
        answers: how many got which answer so far.
        attack: whether it is one.
        well: whether it ended as it must; None while it is going on.
    """

    name: str
    how: str
    messages: int
    answers: Mapping[str, int] = field(default_factory=dict)
    well: bool | None = None
    attack: bool = True


class Show(Protocol):
    """Tells what happens; each method returns at once."""

    pace: float
    """Seconds to linger over each step, so that a person can follow."""

    def act(self, number: int) -> None:
        """Opens an act of `ACTS`, and ends the one before."""

    def reading(self, device: str, text: str, wire: bytes) -> None:
        """A reading was handed to the user's callback; ``wire`` is what the broker carried."""

    def step(self, step: Step) -> None:
        """How a step fares; told again and again, at last with ``well`` True or False."""

    def summary(self, report: Report, seconds: float) -> None:
        """Tells how it ended."""

    def close(self) -> None:
        """Leaves the screen in order, also after Ctrl-C."""


class Silent:
    """Tells nothing."""

    pace = 0.0

    def act(self, number: int) -> None:
        """Tells nothing."""

    def reading(self, device: str, text: str, wire: bytes) -> None:
        """Tells nothing."""

    def step(self, step: Step) -> None:
        """Tells nothing."""

    def summary(self, report: Report, seconds: float) -> None:
        """Tells nothing."""

    def close(self) -> None:
        """Nothing is open."""


class Plain:
    """Tells it in lines, one for each thing that happened."""

    pace = 0.0

    def __init__(self, console: Console) -> None:
        self._console = console

    def act(self, number: int) -> None:
        """Prints its title."""
        title, lead = ACTS[number]
        self._say("", f"Act {number} of {len(ACTS)}: {title}", *lead.splitlines(), "")

    def reading(self, device: str, text: str, wire: bytes) -> None:
        """Prints a line."""
        self._say(f"  {device:<8} {text:<8} <- {abbreviated(wire, 48)}")

    def step(self, step: Step) -> None:
        """Prints a line when it is over."""
        if step.well is not None:
            wrong = "" if step.well else "  WRONG"
            sent = f"{step.messages:>4} sent" if step.attack else " " * 9
            self._say(f"  {step.name:<21}{sent}  {in_words(step)}{wrong}")

    def summary(self, report: Report, seconds: float) -> None:
        """Prints the table and the sentence."""
        self._console.print(summary_table(report))
        self._say("", *(line.plain for line in ending(report, seconds)))

    def close(self) -> None:
        """Nothing is open."""

    def _say(self, *lines: str) -> None:
        for line in lines:
            self._console.print(Text(line), soft_wrap=True)


def in_words(step: Step) -> str:
    """``3 duplicate``, or ``3 of 3 right`` if it is no attack; several joined by commas."""
    of = "" if step.attack else f" of {step.messages}"
    counted = ", ".join(f"{n}{of} {answer}" for answer, n in step.answers.items() if n)
    return counted or "no answer"


def abbreviated(wire: bytes, width: int) -> str:
    """The beginning of a frame, a binary one in hex digits, and how long it is."""
    size = f"... {len(wire)} bytes"
    text = wire.decode("ascii") if wire.isascii() else wire.hex()
    return text[: max(8, width - len(size))] + size
