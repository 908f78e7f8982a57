"""The listener on a terminal: a table of the devices, and how many got each verdict."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, Literal

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live as Region
from rich.table import Table
from rich.text import Text

from espseal import Verdict
from espseal.cli.data import printable
from espseal.cli.listen.received import Received
from espseal.cli.listen.show import Records, style
from espseal.cli.listen.tally import Sender, Tally

# Lines beside the rows, and how many notices are kept.
_FRAME: Final = 12
_NOTICES: Final = 2
# In characters: between two columns, the widest name (an address that is claimed), and what names
# and readings need.
_APART: Final = 3
_NAME: Final = len("0011223344556677 (claimed)")
_NARROWEST: Final = 30


class Live(Records):
    """Redraws a table.

    Arguments:
        console: a terminal.
        tally: what has come.
        where: what is listened to.
        discover: whether nodes that are not listed have rows.
    """

    def __init__(self, console: Console, tally: Tally, where: str, *, discover: bool) -> None:
        self._console = console
        self._tally = tally
        self._where = where
        self._discover = discover
        self._notices: deque[str] = deque(maxlen=_NOTICES)
        self._changed = False
        self._region = self._open()

    def received(self, _received: Received) -> None:
        """Shows a message, which has been counted."""
        self._changed = True

    def notice(self, text: str) -> None:
        """Shows what a person should know."""
        self._notices.append(f"{datetime.now():%H:%M:%S}  {printable(text)}")
        self._changed = True

    def refresh(self) -> None:
        """Draws, if something has changed."""
        if self._changed:
            self._region.update(self._drawn(), refresh=True)
            self._changed = False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leaves the screen to a question."""
        self._region.stop()
        try:
            yield
        finally:
            self._region = self._open()

    def close(self) -> None:
        """Leaves the last state on the screen."""
        self.refresh()
        self._region.stop()

    def _open(self) -> Region:
        region = Region(self._drawn(), console=self._console, auto_refresh=False)
        region.start(refresh=True)
        return region

    def _drawn(self) -> RenderableType:
        parts: list[RenderableType] = [Text(self._where, "dim"), Text(), self._table(), Text()]
        parts += [Text(each, "yellow") for each in self._notices]
        if self._tally.verdicts[Verdict.UNKNOWN_DEVICE] and not self._discover:
            parts.append(Text("--discover shows the nodes that the keyring does not list.", "dim"))
        return Group(*parts, self._counts())

    def _table(self) -> Table:
        # Only sealed devices count; while nothing is missing there is nothing to see.
        numbers = {"when": 8, "count": 6} | ({"missing": 7} if self._tally.missing.total() else {})
        # A narrow terminal has room for the readings alone.
        room = self._console.width - 2 * _APART
        while numbers and room - sum(numbers.values()) - _APART * len(numbers) < _NARROWEST:
            del numbers[next(reversed(numbers))]
        room -= sum(numbers.values()) + _APART * len(numbers)
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, expand=False)
        name_width = max(room // 3, min(_NAME, room // 2))
        for title, width in (("device", name_width), ("last reading", room - name_width)):
            table.add_column(
                title, no_wrap=True, overflow="ellipsis", min_width=min(12, width), max_width=width
            )
        for title, width in numbers.items():
            side: Literal["left", "right"] = "left" if title == "when" else "right"
            table.add_column(title, no_wrap=True, min_width=width, justify=side)
        rows = [(name, each, True) for name, each in self._tally.devices.items()]
        if self._discover:
            rows += [(name, each, False) for name, each in self._tally.strangers.items()]
        lines = max(3, self._console.height - _FRAME)
        shown = rows
        if len(rows) > lines:
            latest = sorted(rows, key=lambda row: row[1].latest.time)[-(lines - 1) :]
            names = {name for name, _, _ in latest}
            shown = [row for row in rows if row[0] in names]
        for name, each, listed in shown:
            cells = _cells(name, each, self._tally.missing[name], listed=listed)
            table.add_row(*(cells[column.header] for column in table.columns))
        if not rows:
            table.add_row(*[Text("...", "dim")] * 2)
        if len(rows) > len(shown):
            table.add_row(Text(f"... {len(rows) - len(shown)} more", "dim"))
        return table

    def _counts(self) -> Text:
        counts = Text()
        for verdict in [Verdict.FRESH, *self._tally.refused]:
            number = str(self._tally.verdicts[verdict])
            counts.append(f"{verdict} ").append(number, style(verdict)).append("   ")
        # The terminal shows ^C at its end; a line break there would spoil the screen.
        counts.truncate(self._console.width - len("^C "), overflow="ellipsis")
        return counts


def _cells(name: str, sender: Sender, missing: int, *, listed: bool) -> dict[RenderableType, Text]:
    shown = (sender.latest.shown, "green") if listed else ("not in the keyring", "yellow")
    return {
        "device": Text(name, "bold" if listed else ""),
        "last reading": Text(*shown),
        "when": Text(sender.latest.clock, "dim"),
        "count": Text(str(sender.count)),
        "missing": Text(str(missing or ""), "yellow"),
    }
