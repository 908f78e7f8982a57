"""How a command ends."""

from typing import Final

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
BROKER: Final = 3
TIME_UP: Final = 4
INTERRUPTED: Final = 130

EXPLAINED: Final = (
    "[bold]Exit codes[/bold]\n"
    f"  {OK}    done, or what was checked is right\n"
    f"  {FAILED}    what was asked for failed, or what was checked is wrong\n"
    f"  {USAGE}    the command line is wrong\n"
    f"  {BROKER}    the broker is down, refuses, or does not allow it\n"
    f"  {TIME_UP}    the time was up before it was done (--timeout)\n"
    f"  {INTERRUPTED}  ended by Ctrl-C"
)


class CommandError(Exception):
    """Ends the command with one sentence for the person who typed it, and with ``code``."""

    code = FAILED


class BrokerError(CommandError):
    """The broker is down, refuses, or does not allow what is needed."""

    code = BROKER


class TimeUpError(CommandError):
    """``--timeout`` came before what was waited for."""

    code = TIME_UP
