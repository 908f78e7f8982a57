"""Where output goes: colours on a terminal, plain and unwrapped when piped, ``NO_COLOR`` kept."""

import json
import os
import sys
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text

# A pipe has no width; a table must not be folded at 80 columns for want of one.
_PIPED_WIDTH: Final = 160


def out() -> Console:
    """The console of what was asked for (standard output)."""
    return _console(sys.stdout, stderr=False)


def err() -> Console:
    """The console of everything else: failures, progress (standard error)."""
    return _console(sys.stderr, stderr=True)


def say(text: str, style: str = "") -> None:
    """Prints a sentence on standard output: no markup is read in it, no line is broken in it."""
    out().print(Text(text, style=style), soft_wrap=True)


def note(text: str) -> None:
    """Prints what accompanies a question or a task, on standard error."""
    err().print(Text(text), soft_wrap=True)


def warn(text: str) -> None:
    """Prints what is allowed and dangerous, on standard error."""
    err().print(Text(text, style="bold yellow"), soft_wrap=True)


def complain(text: str) -> None:
    """Prints what went wrong, on standard error."""
    err().print(Text.assemble(("espseal: ", "bold red"), text), soft_wrap=True)


def print_json(value: object) -> None:
    """Prints a value as indented JSON, in ASCII, so that any pipe takes it."""
    print(json.dumps(value, indent=2))


def _console(stream: TextIO, *, stderr: bool) -> Console:
    # The console looks its stream up at each call, so that a redirection is followed.
    width = None if stream.isatty() or "COLUMNS" in os.environ else _PIPED_WIDTH
    # Rich itself would keep bold and dim under NO_COLOR.
    plain = bool(os.environ.get("NO_COLOR"))
    return Console(
        stderr=stderr, width=width, highlight=False, color_system=None if plain else "auto"
    )
