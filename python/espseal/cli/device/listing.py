"""``espseal device list``."""

from collections.abc import Sequence
from typing import Final

from espseal import DeviceEntry, Keyring
from espseal.cli import console
from espseal.cli.device.known import Known, look_up
from espseal.cli.keyring import tables
from espseal.cli.options import JsonOption, KeyringOption, examples
from espseal.cli.state import StateOption

EXAMPLES: Final = examples(
    "espseal device list",
    "espseal device list --json | jq -r '.[].address'",
)


def list_all(
    keyring: KeyringOption = None, state: StateOption = None, as_json: JsonOption = False
) -> None:
    """List the devices, and what was heard of each: never a key.

    The counter head is the highest counter that was accepted. Frames that did not
    verify (forged, wrong_epoch, revoked) only claim to be of the device.
    """
    loaded = Keyring.load(keyring)
    known = look_up(loaded.devices, state)
    if as_json:
        console.print_json([tables.device_as_json(each.device) | each.fields() for each in known])
    elif known:
        _show(known)
    else:
        console.note(f"{loaded.path} has no device yet: espseal device add.")


def _show(known: Sequence[Known]) -> None:
    columns: dict[str, list[str | None]] = {
        "name": [each.device.name for each in known],
        "address": [address(each.device) for each in known],
        "format": [form(each.device) for each in known],
        "in": [place(each.device) for each in known],
        "epoch": ["" if each.epoch is None else str(each.epoch) for each in known],
        "head": [each.head for each in known],
        "last seen": [each.last_seen for each in known],
        "frames": [each.frames for each in known],
    }
    tables.print_columns(None, columns, numbers=("epoch", "head"))


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
