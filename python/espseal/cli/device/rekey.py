"""``espseal device rekey``."""

from typing import Annotated, Final

import typer

from espseal import Keyring, KeyringFile
from espseal.cli import console, following
from espseal.cli.device.known import look_up
from espseal.cli.device.options import SealedArgument, YesOption, confirm, remind
from espseal.cli.options import KeyringOption, examples
from espseal.cli.state import StateOption

EXAMPLES: Final = examples(
    "espseal device rekey kitchen",
    "espseal device rekey kitchen --reached 12 --yes",
)


def rekey(
    name: SealedArgument,
    reached: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="EPOCH",
            help="The highest epoch that was seen of it, if the store is elsewhere.",
        ),
    ] = None,
    yes: YesOption = False,
    keyring: KeyringOption = None,
    state: StateOption = None,
) -> None:
    """Draw a new key for a device: someone may know the old one.

    The key is its own, no longer derived from the fleet's. Nothing that the old
    one sealed is believed any more, so the device is mute until it gets the new
    one (espseal provision).
    """
    file = KeyringFile.open(keyring)
    confirm(f"Draw a new key for {name}? It is mute until you provision it again.", yes=yes)
    known = [each for each in Keyring.load(file.path).devices if each.name == name]
    seen = [each.epoch for each in look_up(known, state) if each.epoch is not None]
    epoch = file.rekey(name, reached=max([reached or 0, *seen]))
    console.say(f"Drew a new key for {name}; its first epoch is {epoch}.")
    remind()
    following.suggest("write what it needs", *("provision", name), keyring=file.path)
