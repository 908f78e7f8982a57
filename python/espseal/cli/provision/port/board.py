"""What is said to the reference sketch over its serial port, and what it answers."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Final
from urllib.parse import quote

from espseal.cli.data import printable
from espseal.cli.exits import CommandError, TimeUpError
from espseal.cli.provision.port import canonical
from espseal.cli.provision.port.line import Line

_PROTOCOL: Final = "1"
# In seconds: how often a board that starts is asked, and how long one that is busy may take. Of
# an answer it is sure that it comes; a handshake of TLS takes the whole board that long.
_ASK: Final = 0.5
_ANSWER: Final = 8.0
_ATTEMPTS: Final = 5
# Whatever the lines on the way may do to it: only these signs are sent as they are.
_PLAIN: Final = "/+=:,{}@"


@dataclass(frozen=True)
class Identity:
    """Who answers.

    Arguments:
        mode: run, configure, unprovisioned or safe.
        address: None if it has none.
        version: of the sketch.
    """

    mode: str
    address: str | None
    version: str


class _LostError(Exception):
    """Something did not come through; it is worth another attempt."""


class Board:
    """A board on a line.

    Arguments:
        line: open.
        ready: the most seconds that a board may take to start.
    """

    def __init__(self, line: Line, ready: float) -> None:
        self._line = line
        self._ready = ready

    def identify(self) -> Identity:
        """Asks until it answers.

        Raises:
            TimeUpError: nothing answers.
            CommandError: another version of the sketch does.
        """
        self._line.forget()
        end = monotonic() + self._ready
        # What came before is half a line, perhaps.
        self._line.send("")
        while True:
            self._line.send("espseal?")
            again = min(end, monotonic() + _ASK)
            while (line := self._line.next(again)) is not None:
                if re.match(r"espseal [0-9]+( |$)", line):
                    return _identity(line.split(" ")[1:])
            if monotonic() >= end:
                raise TimeUpError(
                    f"No board with the reference sketch has answered within {self._ready:g} "
                    "seconds. Is the sketch flashed, is this the right port? Press the board's "
                    "reset button and try again."
                )

    def write(self, fields: Mapping[str, str], progress: Callable[[int, int], None]) -> None:
        """Has it store all of them, or nothing; it restarts then.

        Arguments:
            fields: by the words of the provisioning file.
            progress: called with how many have been sent, of how many.

        Raises:
            TimeUpError: it has stopped answering, or too much is lost on the way.
            CommandError: it refuses one of them.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._attempt(fields, progress)
            except _LostError as error:
                if attempt == _ATTEMPTS:
                    raise TimeUpError(
                        f"{error} in {_ATTEMPTS} attempts. Take another cable or another USB port, "
                        "press the board's reset button and try again."
                    ) from None
                # It may have been in the middle of a line, or have restarted.
                self.identify()
            else:
                return

    def _attempt(self, fields: Mapping[str, str], progress: Callable[[int, int], None]) -> None:
        self._line.forget()
        self._order("begin", "ok")
        given = {name: fields[name] for name in canonical.FIELDS if fields.get(name)}
        for number, (name, value) in enumerate(given.items()):
            progress(number, len(given))
            self._order(f"set {name} {quote(value, safe=_PLAIN)}", "ok")
        progress(len(given), len(given))
        saved = self._order(f"save {canonical.checksum(fields):08x}", "saved")
        if saved != [fields["address"]]:
            said = printable(" ".join(saved))
            raise CommandError(f"The board says that it has stored another address: {said}.")

    def _order(self, order: str, wanted: str) -> list[str]:
        """Says it, and waits for this answer; what follows its first word."""
        self._line.send(order)
        end = monotonic() + _ANSWER
        while (line := self._line.next(end)) is not None:
            match line.split(" "):
                case ["espseal", "error", "save" | "line" | "set", *sentence]:
                    # It did not get what was sent.
                    raise _LostError(f"The board did not understand: {_said(sentence)}")
                case ["espseal", "error", name, *sentence]:
                    raise CommandError(f"The board refuses {printable(name)}: {_said(sentence)}.")
                case ["espseal", word, *rest] if word == wanted:
                    return rest
        raise _LostError("The board has not answered")


def _said(words: list[str]) -> str:
    return printable(" ".join(words)).rstrip(".")


def _identity(words: list[str]) -> Identity:
    if words[0] != _PROTOCOL:
        raise CommandError(
            f"The sketch on the board speaks version {printable(words[0])} of the protocol, this "
            f"program version {_PROTOCOL}: update the older one."
        )
    match words[1:]:
        case [mode, address, *version]:
            known = None if address == "none" else printable(address)
            return Identity(printable(mode), known, printable(" ".join(version)))
    raise CommandError("The board's answer makes no sense: is it the reference sketch?")
