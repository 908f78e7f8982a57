"""``espseal device show``."""

from typing import Final

from rich.table import Table
from rich.text import Text

from espseal import DeviceEntry, Keyring
from espseal.cli import console
from espseal.cli.device.known import Known, look_up
from espseal.cli.device.options import DeviceArgument
from espseal.cli.exits import CommandError
from espseal.cli.keyring import tables
from espseal.cli.options import JsonOption, KeyringOption, examples
from espseal.cli.state import StateOption

EXAMPLES: Final = examples("espseal device show kitchen", "espseal device show kitchen --json")


def show(
    name: DeviceArgument,
    keyring: KeyringOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the keyring says of a device, and what was heard of it: never a key."""
    device = find(Keyring.load(keyring), name)
    (known,) = look_up([device], state)
    if as_json:
        console.print_json(tables.device_as_json(device) | known.fields())
        return
    table = Table.grid(padding=(0, 2))
    for label, value in _lines(known):
        if value:
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


def _lines(known: Known) -> list[tuple[str, str | None]]:
    device = known.device
    sealed = device.fleet is not None
    return [
        ("name", device.name),
        ("group", device.group),
        ("node ID", device.node_id),
        ("topic", device.topic),
        ("fleet", device.fleet),
        ("address", device.address),
        ("sends on", device.up_topic),
        ("says hello on", device.hello_topic),
        ("hears on", device.down_topic),
        ("key", ("its own" if device.own_key else "derived from the fleet's") if sealed else None),
        ("revoked", "yes: all its sealed frames are refused" if device.revoked else None),
        ("first epoch", str(device.minimum_epoch) if sealed else None),
        ("epoch", str(known.epoch) if sealed else None),
        ("counter head", known.head),
        ("last seen", known.last_seen),
        ("frames", known.frames),
    ]
