"""``espseal inspect``."""

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from espseal import Inspection, Keyring, KeyringFile, Message, Store
from espseal.cli import console, exits
from espseal.cli.inspect import answer, given, show, show_classic, show_sealed
from espseal.cli.inspect.record import record
from espseal.cli.options import JsonOption, KeyringOption, examples
from espseal.cli.state import StateOption, default_path

EXAMPLES: Final = examples(
    "espseal inspect 1d54dd1af0f75a91a00d4dcd8f4ad28d,d1a0b14d187c5adf...",
    "mosquitto_sub -C 1 -t 'espseal/+/up' | espseal inspect -",
    "espseal inspect --file frame.bin --session 5f1d7a84c2b3e690...",
)

_SESSION: Final = re.compile("[0-9A-Fa-f]{32}")


def inspect(
    frame: Annotated[
        str | None,
        typer.Argument(
            metavar="FRAME",
            help="As it is, or its bytes in hex or base64; - reads it from the input.",
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read the frame from a file.")
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option(metavar="TOPIC", help="Where it was: leaves out groups that do not match."),
    ] = None,
    session: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="A session ID to try; may be repeated."),
    ] = None,
    plaintext: Annotated[
        bool,
        typer.Option("--plaintext", help="Show what hello and control frames say, too."),
    ] = False,
    state: StateOption = None,
    keyring: KeyringOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a frame apart, and say why it does not open.

    Shows each field with its place, and tries every key of the keyring in every way
    that devices are known to make frames. Where there is a state, a receiver is asked
    on a copy of it. Ends with 1 if it is no frame or opens under no key. It shows the
    reading, and never a key.
    """
    if (frame is None) == (file is None):
        raise typer.BadParameter("Give either FRAME or --file.", param_hint="'FRAME'")
    if file is not None:
        payload = file.read_bytes()
    else:
        payload = sys.stdin.buffer.read() if frame == "-" else os.fsencode(frame or "")
    known = _keyring(keyring)
    path = _state(state)
    store = None if path is None else Store.sqlite(path)
    sessions = session or []
    found = given.inspect(payload, known, sessions=sessions, store=store, topic=topic)
    if found.sealed is not None and not all(map(_SESSION.fullmatch, sessions)):
        raise typer.BadParameter(
            "The session of a sealed frame has 32 hex digits.", param_hint="'--session'"
        )
    asked = None
    if known is not None and path is not None and found.malformed is None:
        asked = answer.ask(found.frame, known, path, topic)
    if as_json:
        console.print_json(record(found, asked, plaintext=plaintext))
    elif found.malformed is not None:
        show.show_malformed(found)
    else:
        show.show_fields(found)
        if found.sealed is None:
            _show_classic(found, topic, asked)
            if known is not None and not given.fits(found):
                stored = store is not None
                show_classic.show_diagnosis(found, sessions=len(sessions), stored=stored)
        elif known is not None:
            show_sealed.show(found, known, topic=topic, answer=asked, plaintext=plaintext)
        if asked is not None:
            answer.show(asked, found)
        if known is None:
            tried = "no key was tried" if found.sealed else "only the article's keys were tried"
            console.note(f"There is no keyring, so {tried}.")
    if found.malformed is not None or (known is not None and not given.fits(found)):
        raise typer.Exit(exits.FAILED)


def _show_classic(found: Inspection, topic: str | None, asked: Message | None) -> None:
    for finding in found.findings:
        if finding.fit is not None:
            show_classic.show_fit(finding, finding.fit, topic, asked)


def _keyring(named: Path | None) -> Keyring | None:
    """None where no keyring was ever made; one that was named must be there."""
    if named is None and not Path(KeyringFile.default_path()).exists():
        return None
    return Keyring.load(named)


def _state(named: Path | None) -> Path | None:
    """Looking must not make one."""
    path = named or default_path()
    return path if named is not None or path.exists() else None
