"""What to type next, printed after a command that is a step of several."""

import shlex
from pathlib import Path

from rich.text import Text

from espseal import KeyringFile
from espseal.cli import console


def suggest(purpose: str, *words: str, keyring: str) -> None:
    """Prints the next command line, ready to copy.

    Arguments:
        purpose: what it is for, as in "Next, ...:".
        words: the command line after ``espseal``.
        keyring: the file at hand; named in the command unless it is the default one.
    """
    line = ["espseal", *words]
    if Path(keyring).resolve() != Path(KeyringFile.default_path()).resolve():
        line += ["--keyring", keyring]
    console.say(f"Next, {purpose}:")
    console.out().print(Text("  " + shlex.join(line), style="bold cyan"), soft_wrap=True)
