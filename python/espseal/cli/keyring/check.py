"""``espseal keyring check``."""

from typing import Annotated, Any, Final

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from espseal import Keyring, KeyringError, KeyringFile
from espseal.cli import console, exits
from espseal.cli.options import KeyringArgument, KeyringOption, examples, one_path

EXAMPLES: Final = examples(
    "espseal keyring check",
    "espseal keyring check greenhouse.toml",
    "espseal keyring check --json",
)


def check(
    path: KeyringArgument = None,
    keyring: KeyringOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the same as JSON, for programs.")
    ] = False,
) -> None:
    """Check the keyring and list its groups and devices, without a key.

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
    counted = f"{_count(groups, 'group')}, {_count(devices, 'device')}"
    console.say(f"{keyring.path} is valid: {counted}.", "green")
    if groups:
        table = _table("Groups", "name", "readings on", "session IDs on", "layout", "data")
        table.add_column("devices", justify="right")
        for group in groups:
            cells = (group.name, group.topic, group.session_topic, group.layout, group.data)
            table.add_row(*_cells(*cells, str(group.devices)))
        console.out().print(table)
    if devices:
        table = _table("Devices", "name", "group", "node ID")
        for device in devices:
            table.add_row(*_cells(device.name, device.group, device.node_id))
        console.out().print(table)
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
            "groups": [_fields(g, *_GROUP) for g in keyring.groups],
            "devices": [_fields(d, "name", "group", "node_id") for d in keyring.devices],
            "warnings": keyring.warnings,
        }
    )


_GROUP: Final = ("name", "topic", "session_topic", "layout", "data", "devices")


def _mistake(error: KeyringError) -> dict[str, Any]:
    return {"message": str(error)} | _fields(error, "code", "file", "line", "field")


def _fields(of: object, *names: str) -> dict[str, Any]:
    # Named one by one: what may leave the keyring is chosen here, never all there is.
    return {name: getattr(of, name) for name in names}


def _table(title: str, *columns: str) -> Table:
    return Table(*columns, title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)


def _cells(*values: str | None) -> list[Text]:
    # As text: what stands in brackets is no markup.
    return [Text(value or "") for value in values]


def _count(things: list[Any], noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
