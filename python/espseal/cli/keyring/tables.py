"""The groups, fleets and devices of a keyring, as tables and as JSON. Never a key."""

from collections.abc import Container, Mapping, Sequence
from typing import Any, Final

from rich import box
from rich.table import Table
from rich.text import Text

from espseal import DeviceEntry, Keyring
from espseal.cli import console
from espseal.cli.data import printable

_GROUP: Final = ("name", "topic", "session_topic", "layout", "data", "devices")
_FLEET: Final = (
    "name",
    "up_filter",
    "hello_filter",
    "beacon_topic",
    "danger_first_contact",
    "devices",
)
_DRAWN: Final = 1000
"""The most rows that are drawn with lines and colours."""

_SEALED: Final = ("fleet", "address", "minimum_epoch", "own_key", "revoked")
_OWN_TOPICS: Final = ("up_topic", "hello_topic", "down_topic")


def show(keyring: Keyring) -> None:
    """Prints the tables that have rows."""
    if keyring.groups:
        table = new("Groups", "name", "readings on", "session IDs on", "layout", "data")
        table.add_column("devices", justify="right")
        for group in keyring.groups:
            row = (group.name, group.topic, group.session_topic, group.layout, group.data)
            table.add_row(*cells(*row, str(group.devices)))
        console.out().print(table)
    if keyring.fleets:
        show_fleets(keyring)
    devices = keyring.devices
    if devices:
        columns: dict[str, list[str | None]] = {
            "name": [device.name for device in devices],
            "group": [device.group for device in devices],
            "node ID": [device.node_id for device in devices],
            # Only in layout port is it the topic that names a device.
            "topic": [device.topic for device in devices],
            "fleet": [device.fleet for device in devices],
            "address": [device.address for device in devices],
        }
        print_columns("Devices", columns)


def show_fleets(keyring: Keyring) -> None:
    """Prints the fleets."""
    table = new("Fleets", "name", "readings on", "beacon on")
    table.add_column("devices", justify="right")
    for fleet in keyring.fleets:
        row = (fleet.name, fleet.up_filter, fleet.beacon_topic, str(fleet.devices))
        table.add_row(*cells(*row))
    console.out().print(table)


def as_json(keyring: Keyring) -> dict[str, Any]:
    """The same for programs."""
    return {
        "groups": [fields(group, *_GROUP) for group in keyring.groups],
        "fleets": fleets_as_json(keyring),
        "devices": [device_as_json(each) for each in keyring.devices],
    }


def fleets_as_json(keyring: Keyring) -> list[dict[str, Any]]:
    """The fleets for programs."""
    return [fields(fleet, *_FLEET) for fleet in keyring.fleets]


def device_as_json(device: DeviceEntry) -> dict[str, Any]:
    """A device for programs: what it has of a group, and what of a fleet."""
    names = ["name"]
    if device.group is not None:
        names += ["group", "node_id"]
    if device.topic is not None:
        names += ["topic"]
    if device.fleet is not None:
        names += _SEALED
        # Where there are none, its fleet says where.
        names += [each for each in _OWN_TOPICS if getattr(device, each) is not None]
    return fields(device, *names)


def fields(of: object, *names: str) -> dict[str, Any]:
    """Named one by one: what may leave the keyring is chosen here, never all there is."""
    return {name: getattr(of, name) for name in names}


def print_columns(
    title: str | None,
    columns: Mapping[str, Sequence[str | None]],
    numbers: Container[str] = (),
) -> None:
    """Prints a table. A column without a single value is left out.

    Arguments:
        title: what stands above it.
        columns: the cells below each head.
        numbers: the heads of those that are aligned to the right.
    """
    used = {head: cells for head, cells in columns.items() if any(cells)}
    rows = list(zip(*used.values(), strict=True))
    if len(rows) > _DRAWN:
        _print_plain(list(used), rows)
        return
    table = new(title)
    for head in used:
        table.add_column(head, justify="right" if head in numbers else "left")
    for row in rows:
        table.add_row(*cells(*row))
    console.out().print(table)


def _print_plain(heads: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    # Rich takes minutes for a hundred thousand.
    lines = [heads, *([printable(cell or "") for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(heads))]
    for line in lines:
        padded = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        print("  ".join(padded).rstrip())


def new(title: str | None, *columns: str) -> Table:
    """An empty table."""
    return Table(*columns, title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)


def cells(*values: str | None) -> list[Text]:
    """Values as text: what stands in brackets is no markup."""
    return [Text(value or "") for value in values]
