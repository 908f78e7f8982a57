"""Asks a person; questions go to standard error, so that output can be redirected."""

import sys

from rich.text import Text

from espseal.cli import console
from espseal.cli.exits import CommandError


def interactive() -> bool:
    """Whether there is a person to ask, who sees the question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(what: str, hint: str) -> str:
    """Asks, and returns what was typed, without spaces around it.

    Raises:
        CommandError: the input ended.
    """
    console.err().print(Text.assemble((what, "bold"), f" ({hint}): "), end="", soft_wrap=True)
    try:
        return input().strip()
    except EOFError:
        raise CommandError(f"The input ended before the answer to: {what}.") from None


def agree(question: str) -> bool:
    """Asks what is answered with yes or no; all but a yes is a no.

    Raises:
        CommandError: the input ended.
    """
    return ask(question, "y, or Enter: no").lower() in ("y", "yes")
