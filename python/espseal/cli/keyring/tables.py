"""The groups and devices of a keyring, as tables and as JSON. Never a key."""

from typing import Any, Final

from rich import box
from rich.table import Table
from rich.text import Text

from espseal import DeviceEntry, Keyring
from espseal.cli import console

_GROUP: Final = ("name", "topic", "session_topic", "layout", "data", "devices")


def show(keyring: Keyring) -> None:
    """Prints the tables that have rows."""
    if keyring.groups:
        table = _table("Groups", "name", "readings on", "session IDs on", "layout", "data")
        table.add_column("devices", justify="right")
        for group in keyring.groups:
            cells = (group.name, group.topic, group.session_topic, group.layout, group.data)
            table.add_row(*_cells(*cells, str(group.devices)))
        console.out().print(table)
    if keyring.devices:
        # Only in layout port is it the topic that names a device.
        by_topic = any(device.topic is not None for device in keyring.devices)
        table = _table("Devices", "name", "group", "node ID", *["topic"] * by_topic)
        for device in keyring.devices:
            table.add_row(
                *_cells(device.name, device.group, device.node_id, *[device.topic] * by_topic)
            )
        console.out().print(table)


def as_json(keyring: Keyring) -> dict[str, Any]:
    """The same for programs."""
    return {
        "groups": [fields(group, *_GROUP) for group in keyring.groups],
        "devices": [fields(each, "name", "group", *_address(each)) for each in keyring.devices],
    }


def fields(of: object, *names: str) -> dict[str, Any]:
    """Named one by one: what may leave the keyring is chosen here, never all there is."""
    return {name: getattr(of, name) for name in names}


def _address(device: DeviceEntry) -> tuple[str, ...]:
    return ("node_id",) if device.topic is None else ("node_id", "topic")


def _table(title: str, *columns: str) -> Table:
    return Table(*columns, title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)


def _cells(*values: str | None) -> list[Text]:
    # As text: what stands in brackets is no markup.
    return [Text(value or "") for value in values]
