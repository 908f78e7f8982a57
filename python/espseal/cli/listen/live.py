"""The listener on a terminal: a table of the devices, and how many got each verdict."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

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
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, expand=False)
        table.add_column("device", no_wrap=True, overflow="ellipsis", min_width=12)
        table.add_column("last reading", no_wrap=True, overflow="ellipsis", min_width=20)
        table.add_column("when", no_wrap=True, min_width=8)
        table.add_column("count", no_wrap=True, min_width=6, justify="right")
        # Only sealed devices count; while nothing is missing there is nothing to see.
        if self._tally.missing.total():
            table.add_column("missing", no_wrap=True, min_width=7, justify="right")
        rows = [(name, each, True) for name, each in self._tally.devices.items()]
        if self._discover:
            rows += [(name, each, False) for name, each in self._tally.strangers.items()]
        room = max(3, self._console.height - _FRAME)
        shown = rows
        if len(rows) > room:
            latest = sorted(rows, key=lambda row: row[1].latest.time)[-(room - 1) :]
            names = {name for name, _, _ in latest}
            shown = [row for row in rows if row[0] in names]
        for name, each, listed in shown:
            row = _row(name, each, self._tally.missing[name], listed=listed)
            table.add_row(*row[: len(table.columns)])
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


def _row(name: str, sender: Sender, missing: int, *, listed: bool) -> list[Text]:
    when = Text(sender.latest.clock, "dim")
    count, lost = Text(str(sender.count)), Text(str(missing or ""), "yellow")
    if listed:
        return [Text(name, "bold"), Text(sender.latest.shown, "green"), when, count, lost]
    return [Text(name), Text("not in the keyring", "yellow"), when, count, Text()]
