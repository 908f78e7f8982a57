"""Asks for the four keys of nodes that have theirs already."""

import getpass
import sys

from espseal import ClassicKeys
from espseal.cli import console
from espseal.cli.exits import CommandError

_HEX = "hex:"


def ask_for_keys() -> ClassicKeys:
    """Asks for the four keys, hidden; from a pipe, reads them as four lines in this order."""
    console.note("The four keys, as text or as hex:0011..., the way the nodes have them.")
    if sys.stdin.isatty():
        console.note("What you type or paste is not shown.")
    return ClassicKeys(
        iv_key=_ask("iv_key", "16, 24 or 32 bytes"),
        data_key=_ask("data_key", "16, 24 or 32 bytes"),
        static_iv=_ask("static_iv", "16 bytes"),
        passphrase=_ask("passphrase", "1 byte or more"),
    )


def _ask(name: str, size: str) -> bytes:
    if sys.stdin.isatty():
        typed = getpass.getpass(f"{name} ({size}): ")
    else:
        line = sys.stdin.readline()
        if not line:
            raise CommandError(f"The input ended before {name}: nothing was added.")
        typed = line.rstrip("\r\n")
    return _taken(name, typed)


def _taken(name: str, typed: str) -> bytes:
    """The key's bytes; says how the key was taken, never what it is."""
    if typed.startswith(_HEX):
        try:
            key = bytes.fromhex(typed[len(_HEX) :])
        except ValueError:
            # Without its cause: the message of fromhex tells of the key.
            raise CommandError(
                f"{name} begins with hex: but is not hex digits in pairs: nothing was added."
            ) from None
        form = "hex"
    else:
        key, form = typed.encode(), "text"
    console.note(f"  {name}: taken as {form}, {len(key)} bytes")
    return key
