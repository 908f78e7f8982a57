"""What is shown of it: `Records` for ``--json``, `Lines` in a pipe, `live.Live` on a terminal."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.text import Text

from espseal import Verdict
from espseal.cli import console
from espseal.cli.data import printable
from espseal.cli.listen.received import Received

# As far as a person should care: copies and stale ones are everyday.
_STYLES: Final = {
    Verdict.FRESH: "green",
    Verdict.DUPLICATE: "dim",
    Verdict.STALE_SESSION: "yellow",
    Verdict.UNKNOWN_DEVICE: "yellow",
}
_WIDEST: Final = max(map(len, Verdict))


def style(verdict: Verdict) -> str:
    """The colour of a verdict."""
    return _STYLES.get(verdict, "bold red")


class Records:
    """Prints one JSON object a message; each method returns at once."""

    def received(self, received: Received) -> None:
        """Shows a message."""
        print(json.dumps(received.record()), flush=True)

    def notice(self, text: str) -> None:
        """Shows what a person should know."""
        console.complain(printable(text))

    def refresh(self) -> None:
        """Brings the screen up to date, if it is not."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leaves the screen to something else."""
        yield

    def close(self) -> None:
        """Leaves the screen in order."""


class Lines(Records):
    """Prints one line a message."""

    def received(self, received: Received) -> None:
        """Shows a message."""
        message = received.message
        verdict = message.verdict
        line = Text.assemble(
            (received.clock, "dim"),
            f"  {received.sender}  " if received.fresh else "  ",
            (received.shown, "green") if received.fresh else (f"{verdict}  ", style(verdict)),
            "" if received.fresh else f"{received.sender}: {message.reason}",
            (f"  ({received.missing} missing before it)", "yellow") if received.missing > 0 else "",
        )
        console.out().print(line, soft_wrap=True)
