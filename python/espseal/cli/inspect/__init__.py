"""``espseal inspect``."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from espseal import Finding, Inspection, Keyring, KeyringFile, Store
from espseal.cli import console, exits
from espseal.cli.data import in_json
from espseal.cli.inspect import given, show
from espseal.cli.options import JsonOption, KeyringOption, examples
from espseal.cli.state import StateOption, default_path

EXAMPLES: Final = examples(
    "espseal inspect 1d54dd1af0f75a91a00d4dcd8f4ad28d,d1a0b14d187c5adf...",
    "mosquitto_sub -C 1 -t sensors/kitchen | espseal inspect -",
    "espseal inspect --file frame.bin --session 5f1d7a84c2b3e690...",
)


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
    state: StateOption = None,
    keyring: KeyringOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a frame apart, and say why it does not open.

    Shows each field with its place, and tries every key set of the keyring in
    every way that devices are known to make frames. Ends with 1 if it is no
    frame or opens under none. It shows the reading, and never a key.
    """
    if (frame is None) == (file is None):
        raise typer.BadParameter("Give either FRAME or --file.", param_hint="'FRAME'")
    if file is not None:
        payload = file.read_bytes()
    else:
        payload = sys.stdin.buffer.read() if frame == "-" else os.fsencode(frame or "")
    known = _keyring(keyring)
    store = _store(state)
    sessions = session or []
    found = given.inspect(payload, known, sessions=sessions, store=store, topic=topic)
    fits = [finding for finding in found.findings if finding.fit is not None]
    failed = found.malformed is not None or (known is not None and not fits)
    if as_json:
        console.print_json(_record(found))
    elif found.malformed is not None:
        show.show_malformed(found)
    else:
        show.show_fields(found)
        for finding in fits:
            if finding.fit is not None:
                show.show_fit(finding, finding.fit, topic)
        if not fits and known is not None:
            show.show_diagnosis(found, sessions=len(sessions), stored=store is not None)
        if known is None:
            console.note("There is no keyring, so only the article's keys were tried.")
    if failed:
        raise typer.Exit(exits.FAILED)


def _keyring(named: Path | None) -> Keyring | None:
    """None where no keyring was ever made; one that was named must be there."""
    if named is None and not Path(KeyringFile.default_path()).exists():
        return None
    return Keyring.load(named)


def _store(named: Path | None) -> Store | None:
    """Looking must not make one."""
    path = named or default_path()
    if named is None and not path.exists():
        return None
    return Store.sqlite(path)


def _record(found: Inspection) -> dict[str, Any]:
    return {
        "layout": found.layout,
        "size": len(found.frame),
        "malformed": found.malformed,
        "offset": found.offset,
        "reason": found.reason,
        "fields": [
            {
                "name": field.name,
                "offset": field.offset,
                "size": field.size,
                "bytes": show.shown_bytes(found, field),
            }
            for field in found.fields
        ],
        "findings": [_finding(finding) for finding in found.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    fit = finding.fit
    record: dict[str, Any] = {"group": finding.group, "owner": finding.owner, "fits": False}
    if fit is None:
        return record
    return record | {
        "fits": True,
        "as_in_keyring": fit.as_in_keyring,
        "mode": fit.mode,
        "mac": fit.mac,
        "session": fit.session,
        "session_time": fit.session_time,
        "device": fit.device,
        "node": show.escaped(fit.node) if fit.node else None,
        **in_json(fit.data),
    }
