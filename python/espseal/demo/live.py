"""The story on a terminal: a table an act, growing while one looks on."""

from typing import Final

from rich import box
from rich.console import Console, JustifyMethod
from rich.live import Live as Region
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from espseal.demo.judge import Report
from espseal.demo.show import ACTS, Step, abbreviated, in_words
from espseal.demo.summary import ending, summary_table

_WIDE: Final = 80

# Each with its least width: the table must not jump when a row is added. Of 80 columns,
# 28 are left for what an attack is.
_COLUMNS: Final = {
    1: {"node": 8, "reading": 7, "": 2, "what the broker sees": 0},
    2: {"attack": 20, "what it is": 0, "sent": 4, "answer": 17},
    3: {"scene": 20, "what it is": 0, "sent": 4, "outcome": 17},
}


class Live:
    """Tells it in colours, at a pace that can be followed."""

    pace = 0.7

    def __init__(self, console: Console) -> None:
        self._console = console
        self._region: Region | None = None
        self._columns: dict[str, int] = {}
        self._rows: dict[str, dict[str, Text]] = {}

    def act(self, number: int) -> None:
        """Ends the table of the act before and begins a new one under its title."""
        self.close()
        title, lead = ACTS[number]
        self._console.print(
            Rule(Text(f"Act {number} of {len(ACTS)}: {title}", "bold"), style="dim")
        )
        if lead:
            self._console.print(Text(lead + "\n"))
        self._rows = {}
        self._columns = _COLUMNS.get(number, {})
        if self._columns:
            self._region = Region(console=self._console, auto_refresh=False)
            self._region.start()
            self._refresh()

    def reading(self, device: str, text: str, wire: bytes) -> None:
        """Adds a row."""
        self._add(
            str(len(self._rows)),
            Text(device, "bold"),
            Text(text, "green"),
            Text("<-", "dim"),
            Text(abbreviated(wire, self._console.width - 30), "dim"),
        )

    def step(self, step: Step) -> None:
        """Adds a row, or brings it up to date."""
        style = {None: "yellow", True: "green", False: "bold red"}[step.well]
        answer = "..." if step.well is None and not step.answers else in_words(step)
        self._add(
            step.name,
            Text(step.name, "bold"),
            Text(step.how),
            Text(str(step.messages) if step.attack else ""),
            Text(answer, style),
        )

    def summary(self, report: Report, seconds: float) -> None:
        """Prints the table and the sentence."""
        self._console.print(summary_table(report), "", *ending(report, seconds), sep="\n")

    def close(self) -> None:
        """Leaves the table of this act as it stands."""
        if self._region is not None:
            self._region.stop()
            self._region = None
            self._console.print()

    def _add(self, row: str, *cells: Text) -> None:
        self._rows[row] = dict(zip(self._columns, cells, strict=True))
        self._refresh()

    def _refresh(self) -> None:
        if self._region is not None:
            self._region.update(self._table(), refresh=True)

    def _table(self) -> Table:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False)
        # A narrow terminal has no room for what an attack is.
        shown = [c for c in self._columns if c != "what it is" or self._console.width >= _WIDE]
        for column in shown:
            width = self._columns[column]
            justify: JustifyMethod = "right" if column == "sent" else "left"
            table.add_column(column, min_width=width, no_wrap=width > 0, justify=justify)
        for row in self._rows.values() or [dict.fromkeys(self._columns, Text("...", "dim"))]:
            table.add_row(*(row[column] for column in shown))
        return table
