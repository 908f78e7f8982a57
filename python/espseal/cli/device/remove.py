"""``espseal device remove``."""

from typing import Annotated, Final, Literal

import typer

from espseal import KeyringFile
from espseal.cli import console
from espseal.cli.device.options import DeviceArgument, YesOption, confirm, remind
from espseal.cli.options import KeyringOption, examples

EXAMPLES: Final = examples(
    "espseal device remove kitchen",
    "",
    "# a device that has migrated:",
    "espseal device remove kitchen --only classic",
)


def remove(
    name: DeviceArgument,
    only: Annotated[
        Literal["classic", "sealed"] | None,
        typer.Option(help="Take only this side of it away; the other one stays."),
    ] = None,
    yes: YesOption = False,
    keyring: KeyringOption = None,
) -> None:
    """Take a device out of the keyring.

    What it sends is of an unknown device then. What was learnt of it stays: if you
    add its address again, its old frames are not believed again.
    """
    file = KeyringFile.open(keyring)
    what = f"{name}" if only is None else f"the {only} side of {name}"
    confirm(f"Take {what} out of the keyring? A key of its own is lost.", yes=yes)
    file.remove(name, only=only)
    console.say(f"Removed {what} from {file.path}.")
    remind()
