"""What to type next, printed after a command that is a step of several."""

import shlex
from pathlib import Path

from rich.text import Text

from espseal import KeyringFile
from espseal.cli import console


def command(*words: str, keyring: str) -> str:
    """A command line, ready to copy.

    Arguments:
        words: the command line after ``espseal``.
        keyring: the file at hand; named in the command unless it is the default one.
    """
    line = ["espseal", *words]
    if Path(keyring).resolve() != Path(KeyringFile.default_path()).resolve():
        line += ["--keyring", keyring]
    return shlex.join(line)


def suggest(purpose: str, *words: str, keyring: str) -> None:
    """Prints what to type next: its purpose, as in "Next, ...:", and the `command`."""
    console.say(f"Next, {purpose}:")
    line = command(*words, keyring=keyring)
    console.out().print(Text("  " + line, style="bold cyan"), soft_wrap=True)
