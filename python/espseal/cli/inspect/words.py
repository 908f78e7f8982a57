"""What is said of frames of both formats."""

from collections.abc import Iterable
from datetime import UTC, datetime

from rich.table import Table
from rich.text import Text

from espseal import Fit, SealedFit
from espseal.cli import console
from espseal.cli.data import decoded, printable


def tell(text: str, style: str = "") -> None:
    """Prints a sentence, broken between words, unlike what is there to be copied."""
    console.out().print(Text(text, style))


def advise(text: str) -> None:
    """Prints what to do, or what to know."""
    tell(text, "yellow")


def explain(text: str) -> None:
    """Prints what is of less weight."""
    tell(text, "dim")


def show_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Prints names and what belongs to them."""
    table = Table.grid(padding=(0, 3))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(f"  {name}", Text(value))
    console.out().print(table)


def show_tried(keys: Iterable[tuple[str, str]]) -> None:
    """Prints the keys that do not fit: whose they are, and what is known of them."""
    table = Table.grid(padding=(0, 3))
    for whose, more in keys:
        table.add_row(Text(f"  {whose}"), Text("no", "red"), Text(more, "dim"))
    console.out().print(table)


def escaped(data: bytes) -> str:
    """Bytes as people read them: as text if they are, else in hex."""
    text = decoded(data)
    return printable(text) if text is not None else f"0x{data.hex()}"


def shown(data: bytes) -> str:
    """A plaintext as people read it."""
    return escaped(data) if data else "(empty)"


def minted(time: int) -> str:
    """When a session was minted."""
    return f"minted {local(time)}, {ago(time)}"


def local(time: int) -> str:
    """Unix seconds on this computer's clock."""
    try:
        return f"{datetime.fromtimestamp(time, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        return f"{time} s"


def age(time: int) -> int:
    """Seconds since then."""
    return round(datetime.now(UTC).timestamp() - time)


def left(fit: Fit | SealedFit) -> int:
    """For how many seconds the session of a frame lives on; 0 if that is not known."""
    if fit.session_time is None or fit.session_life is None:
        return 0
    return max(0, fit.session_life - age(fit.session_time))


def has_expired(fit: Fit | SealedFit) -> bool:
    """Whether its session is known to have been minted too long ago."""
    return fit.session_time is not None and fit.session_life is not None and left(fit) == 0


def ago(time: int) -> str:
    """How long ago that is."""
    seconds = age(time)
    if seconds < 0:
        return "in the future"
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds <= limit:
            return f"{seconds // unit} {name} ago"
    return f"{seconds // 86400} days ago"
