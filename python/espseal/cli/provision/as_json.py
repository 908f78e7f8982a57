"""The JSON that `espseal.Device.load` reads, and that the QR code shows."""

import json
from typing import Any, Final

from espseal import Provision
from espseal.cli.provision.surroundings import Surroundings

NEXT: Final = "espseal.Device.load reads it; its state will lie beside it."


def fields(provisioned: Provision, surroundings: Surroundings) -> dict[str, Any]:
    """Every field, in the words of all formats."""
    found: dict[str, Any] = json.loads(render(provisioned, surroundings))
    return found


def render(provisioned: Provision, surroundings: Surroundings) -> str:
    """The file."""
    return provisioned.render("json", surroundings.settings(provisioned.address))
