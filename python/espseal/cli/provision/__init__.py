"""``espseal provision``."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from espseal import Keyring, KeyringFile
from espseal.cli import console
from espseal.cli.device import show
from espseal.cli.device.known import look_up
from espseal.cli.device.options import RESTART, ChipOption, SealedArgument, chip_id
from espseal.cli.exits import CommandError
from espseal.cli.options import KeyringOption, examples
from espseal.cli.provision.surroundings import Surroundings, with_surroundings
from espseal.cli.state import StateOption

EXAMPLES: Final = examples(
    "espseal provision kitchen --format nodemcu --wifi-ssid cottage --mqtt-host broker.example",
    "espseal provision kitchen --format arduino --output sketch/espseal_config.h",
    "espseal provision kitchen --format json",
    "espseal provision kitchen --format qr --show-key",
)


class Format(StrEnum):
    """What the device reads."""

    NODEMCU = "nodemcu"
    ARDUINO = "arduino"
    JSON = "json"
    QR = "qr"


@with_surroundings
def provision(
    surroundings: Surroundings,
    name: SealedArgument,
    format: Annotated[  # noqa: A002 (the word of the option)
        Format, typer.Option(help="What the device reads; qr shows the JSON as a picture.")
    ] = Format.NODEMCU,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to; without it config.lua, espseal_config.h or NAME.json. - is a pipe.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    show_key: Annotated[
        bool, typer.Option("--show-key", help="Let the terminal show the device's key.")
    ] = False,
    chip: ChipOption = None,
    keyring: KeyringOption = None,
    state: StateOption = None,
) -> None:
    """Write what a device needs: its address, its key, its topics, its broker.

    Never the fleet's key. Only you can read the file (mode 0600); whoever reads it
    is the device. Give it to the device, then delete it.
    """
    # The formats are not needed for any --help.
    from espseal.cli.provision import output as out
    from espseal.cli.provision import qr

    number = chip_id(chip)
    if format is Format.QR and output is not None:
        raise typer.BadParameter("The QR code is for the terminal.", param_hint="'--output'")
    file = KeyringFile.open(keyring)
    # Whatever there is to refuse, before anything is changed.
    provisioned = Keyring.load(file.path).provision(name)
    target = None if format is Format.QR else out.target(format, name, output, force, show_key)
    known = look_up([show.find(Keyring.load(file.path), name)], state)[0]
    reached = known.epoch or 0
    if number is not None and not _is_of(provisioned.address, number):
        if known.head:
            raise CommandError(
                f"{name} has sent as {provisioned.address} already: another address is another "
                "device. Remove it, and add it with --chip-id."
            )
        given = file.set_address(name, chip_id=number)
        console.note(f"The address of {name} is now {given}. {RESTART}")
    elif reached > provisioned.epoch:
        # An earlier key is not accepted any more.
        file.set_minimum_epoch(name, reached)
        console.note(f"{name} has reached epoch {reached}: its keys before that are given up.")
    provisioned = Keyring.load(file.path).provision(name)
    if target is None:
        qr.show(provisioned, surroundings, show_key=show_key)
    else:
        target.write(provisioned, surroundings)


def _is_of(address: str, chip: int) -> bool:
    """Whether the address has the bytes of this chip between its random ones."""
    return bytes.fromhex(address)[1::2] == chip.to_bytes(4)
