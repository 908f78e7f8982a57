"""``espseal device revoke``."""

from typing import Annotated, Final

import typer

from espseal import Keyring, KeyringFile
from espseal.cli import console
from espseal.cli.device.options import SealedArgument, remind
from espseal.cli.options import KeyringOption, examples

EXAMPLES: Final = examples(
    "espseal device revoke kitchen",
    "espseal device revoke kitchen --undo",
)


def revoke(
    name: SealedArgument,
    undo: Annotated[bool, typer.Option("--undo", help="Believe it again.")] = False,
    keyring: KeyringOption = None,
) -> None:
    """Refuse all that a device sends: it was lost, or stolen.

    Its sealed frames get the verdict 'revoked'. What it knows is its own key only:
    no other device of the fleet is touched.
    """
    file = KeyringFile.open(keyring)
    file.revoke(name, undo=undo)
    console.say(f"{name} is no longer revoked." if undo else f"Revoked {name}.")
    (device,) = [each for each in Keyring.load(file.path).devices if each.name == name]
    if device.group is not None and not undo:
        console.say(
            f"warning: its classic frames are still believed, and it has the keys of the group "
            f"{device.group}: draw new ones for the others, and espseal device remove.",
            "yellow",
        )
    remind()
