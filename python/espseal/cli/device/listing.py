"""``espseal device list``."""

from typing import Final

from espseal import DeviceEntry, Keyring
from espseal.cli import console
from espseal.cli.keyring import tables
from espseal.cli.options import JsonOption, KeyringOption, examples

EXAMPLES: Final = examples(
    "espseal device list",
    "espseal device list --json | jq -r '.[].address'",
)


def list_all(keyring: KeyringOption = None, as_json: JsonOption = False) -> None:
    """List the devices, without a key."""
    loaded = Keyring.load(keyring)
    if as_json:
        console.print_json([tables.device_as_json(each) for each in loaded.devices])
    elif loaded.devices:
        _show(loaded.devices)
    else:
        console.note(f"{loaded.path} has no device yet: espseal device add.")


def _show(devices: list[DeviceEntry]) -> None:
    table = tables.new(None, "name", "address", "format", "in")
    table.add_column("first epoch", justify="right")
    rows = [
        (
            device.name,
            address(device),
            form(device),
            place(device),
            "" if device.minimum_epoch is None else str(device.minimum_epoch),
        )
        for device in devices
    ]
    tables.print_rows(table, rows)


def address(device: DeviceEntry) -> str | None:
    """By what its frames are known: its address, else its node ID or its topic."""
    return device.address or device.node_id or device.topic


def form(device: DeviceEntry) -> str:
    """What it sends, in a word or three."""
    forms = ["classic"] * (device.group is not None) + ["sealed"] * (device.fleet is not None)
    said = " + ".join(forms)
    return f"{said}, revoked" if device.revoked else said


def place(device: DeviceEntry) -> str:
    """Its group and its fleet."""
    return ", ".join(filter(None, (device.group, device.fleet)))
