"""The JSON that `espseal.Device.load` reads, and that the QR code shows."""

import json
from typing import Any, Final

from espseal import Provision
from espseal.cli.provision.surroundings import Surroundings

NEXT: Final = "espseal.Device.load reads it; its state will lie beside it."


def fields(provisioned: Provision, surroundings: Surroundings) -> dict[str, Any]:
    """Every field, in the words of all formats."""
    return {
        "version": 1,
        "name": provisioned.name,
        "address": provisioned.address,
        "device_key": provisioned.device_key.expose().hex(),
        "epoch": provisioned.epoch,
        "up_topic": provisioned.up_topic,
        "hello_topic": provisioned.hello_topic,
        "down_topic": provisioned.down_topic,
        "beacon_topic": provisioned.beacon_topic,
        **surroundings.settings(provisioned.address),
    }


def render(provisioned: Provision, surroundings: Surroundings) -> str:
    """The file."""
    return json.dumps(fields(provisioned, surroundings), indent=2) + "\n"
