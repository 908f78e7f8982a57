"""The ``config.lua`` of the NodeMCU firmware."""

from typing import Final

from espseal import Provision
from espseal.cli.provision.surroundings import Surroundings

NEXT: Final = "Upload it to the device as config.lua, beside the firmware, then delete it here."


def render(provisioned: Provision, surroundings: Surroundings) -> str:
    """The file."""
    return provisioned.render("nodemcu", surroundings.settings(provisioned.address))
