"""``espseal keyring check``."""

from collections.abc import Sized
from typing import Any, Final

import typer

from espseal import Keyring, KeyringError, KeyringFile
from espseal.cli import console, exits
from espseal.cli.keyring import tables
from espseal.cli.options import JsonOption, KeyringArgument, KeyringOption, examples, one_path

EXAMPLES: Final = examples(
    "espseal keyring check",
    "espseal keyring check greenhouse.toml",
    "espseal keyring check --json",
)


def check(
    path: KeyringArgument = None,
    keyring: KeyringOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check the keyring and list its groups, fleets and devices, without a key.

    Ends with 1 if it cannot be used, and says in which line and field the mistake is.
    What is allowed but dangerous is listed as a warning; it is no mistake.
    """
    named = one_path(path, keyring)
    if as_json:
        _check_as_json(str(named) if named is not None else KeyringFile.default_path())
    else:
        _report(Keyring.load(named))


def _report(keyring: Keyring) -> None:
    groups, devices = keyring.groups, keyring.devices
    counted = [_count(groups, "group"), _count(keyring.fleets, "fleet")]
    # A keyring of sealed devices alone has no group, one of classic ones alone no fleet.
    kinds = [text for text in counted if not text.startswith("0 ")] or counted[:1]
    counted = [*kinds, _count(devices, "device")]
    console.say(f"{keyring.path} is valid: {', '.join(counted)}.", "green")
    tables.show(keyring)
    for warning in keyring.warnings:
        console.say(f"warning: {warning}", "yellow")


def _check_as_json(path: str) -> None:
    try:
        keyring = Keyring.load(path)
    except KeyringError as error:
        console.print_json({"path": path, "valid": False, "error": _mistake(error)})
        raise typer.Exit(exits.FAILED) from None
    console.print_json(
        {
            "path": path,
            "valid": True,
            **tables.as_json(keyring),
            "warnings": keyring.warnings,
        }
    )


def _mistake(error: KeyringError) -> dict[str, Any]:
    return {"message": str(error)} | tables.fields(error, "code", "file", "line", "field")


def _count(things: Sized, noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
