"""``espseal device rename``."""

from typing import Annotated, Final

import typer

from espseal import KeyringFile
from espseal.cli import console
from espseal.cli.device.options import DeviceArgument, remind
from espseal.cli.options import KeyringOption, examples

EXAMPLES: Final = examples("espseal device rename kitchen pantry")


def rename(
    name: DeviceArgument,
    new: Annotated[str, typer.Argument(metavar="NEW", help="What you call it from now on.")],
    keyring: KeyringOption = None,
) -> None:
    """Give a device another name. Its address, its keys and what is known of it stay."""
    file = KeyringFile.open(keyring)
    file.rename(name, new)
    console.say(f"{name} is now called {new}.")
    remind()
