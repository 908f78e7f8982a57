"""``espseal device show``."""

from typing import Final

from rich.table import Table
from rich.text import Text

from espseal import DeviceEntry, Keyring
from espseal.cli import console
from espseal.cli.device.options import DeviceArgument
from espseal.cli.exits import CommandError
from espseal.cli.keyring import tables
from espseal.cli.options import JsonOption, KeyringOption, examples

EXAMPLES: Final = examples("espseal device show kitchen", "espseal device show kitchen --json")


def show(name: DeviceArgument, keyring: KeyringOption = None, as_json: JsonOption = False) -> None:
    """Show what is known of a device, without a key."""
    loaded = Keyring.load(keyring)
    device = find(loaded, name)
    if as_json:
        console.print_json(tables.device_as_json(device))
        return
    table = Table.grid(padding=(0, 2))
    for label, value in _lines(device):
        if value is not None:
            table.add_row(Text(label, style="dim"), Text(value))
    console.out().print(table)


def find(keyring: Keyring, name: str) -> DeviceEntry:
    """The device of this name.

    Raises:
        CommandError: there is none.
    """
    for device in keyring.devices:
        if device.name == name:
            return device
    raise CommandError(f"{keyring.path}: the keyring has no device named {name}.")


def _lines(device: DeviceEntry) -> list[tuple[str, str | None]]:
    sealed = device.fleet is not None
    return [
        ("name", device.name),
        ("group", device.group),
        ("node ID", device.node_id),
        ("topic", device.topic),
        ("fleet", device.fleet),
        ("address", device.address),
        ("first epoch", str(device.minimum_epoch) if sealed else None),
        ("key", ("its own" if device.own_key else "derived from the fleet's") if sealed else None),
        ("revoked", "yes: all its sealed frames are refused" if device.revoked else None),
    ]
