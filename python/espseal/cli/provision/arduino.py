"""The ``espseal_config.h`` of a sketch."""

from typing import Final

from espseal import Provision
from espseal.cli.provision.surroundings import Surroundings

NEXT: Final = "Put it beside the sketch, and never into a repository: it is the device's key."


def render(provisioned: Provision, surroundings: Surroundings) -> str:
    """The file."""
    return provisioned.render("arduino", surroundings.settings(provisioned.address))
