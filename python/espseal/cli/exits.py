"""How a command ends."""

from typing import Final

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130

EXPLAINED: Final = (
    "[bold]Exit codes[/bold]\n"
    f"  {OK}    done, or what was checked is right\n"
    f"  {FAILED}    what was asked for failed, or what was checked is wrong\n"
    f"  {USAGE}    the command line is wrong\n"
    f"  {INTERRUPTED}  ended by Ctrl-C"
)


class CommandError(Exception):
    """Ends the command with `FAILED` and one sentence for the person who typed it."""
