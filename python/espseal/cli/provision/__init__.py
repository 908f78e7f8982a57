"""``espseal provision``."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from espseal import Keyring, KeyringFile, Provision
from espseal.cli import console, exits, following
from espseal.cli.device import show
from espseal.cli.device.known import look_up
from espseal.cli.device.options import RESTART, ChipOption, SealedArgument, chip_id
from espseal.cli.exits import CommandError
from espseal.cli.options import KeyringOption, examples
from espseal.cli.provision.surroundings import Surroundings, with_surroundings
from espseal.cli.provision.transport import INSECURE, Transport
from espseal.cli.state import StateOption

EXAMPLES: Final = examples(
    "espseal provision kitchen --format nodemcu --wifi-ssid cottage --mqtt-host broker.example",
    "espseal provision kitchen --format arduino --output sketch/espseal_config.h",
    "espseal provision kitchen --format json",
    "espseal provision kitchen --format qr --show-key",
    "",
    "# the reference sketch for the ESP8266, over its USB cable:",
    "espseal provision kitchen --port /dev/ttyUSB0 --wifi-ssid cottage --mqtt-host broker.example",
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
        Format | None,
        typer.Option(
            help="What the device reads, without it nodemcu; qr shows the JSON as a picture."
        ),
    ] = None,
    port: Annotated[
        str | None,
        typer.Option(
            "--port",
            metavar="PORT",
            help="Tell a board with the reference sketch, over its USB cable; no file is written.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to; without it config.lua, espseal_config.h or NAME.json. - is a pipe.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite the file, or a board that is another device.")
    ] = False,
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

    With --port no file is needed: the reference sketch for the ESP8266 takes it over
    its USB cable, says what it does not like, and restarts with it.
    """
    number = chip_id(chip)
    if port is not None and (format is not None or output is not None):
        raise typer.BadParameter(
            "With it no file is written: leave --format and --output away.", param_hint="'--port'"
        )
    form = format or Format.NODEMCU
    if form is Format.QR and output is not None:
        raise typer.BadParameter("The QR code is for the terminal.", param_hint="'--output'")
    if port is None:
        _check_format(form, surroundings)
    if surroundings.transport is Transport.INSECURE:
        console.warn(INSECURE)
    file = KeyringFile.open(keyring)
    # Whatever there is to refuse, before anything is changed.
    provisioned = Keyring.load(file.path).provision(name)
    fields = surroundings.settings(provisioned.address)

    def given() -> Provision:
        """What the device gets, after the keyring has followed it."""
        _follow(file, name, number, state)
        return Keyring.load(file.path).provision(name)

    if port is not None:
        _over_port(port, fields, provisioned, given, surroundings, force=force)
        following.suggest("see its readings", "listen", keyring=file.path)
        return
    # The formats are not needed for any --help.
    from espseal.cli.provision import output as out
    from espseal.cli.provision import qr

    if form is Format.QR:
        qr.show(given(), surroundings, show_key=show_key)
    else:
        target = out.target(form, name, output, force, show_key)
        target.write(given(), surroundings)


def _check_format(form: Format, surroundings: Surroundings) -> None:
    """Refuses options that a format has no place for: the device would not do as it was told."""
    more = surroundings.of_the_sketch()
    if more and form in (Format.NODEMCU, Format.ARDUINO):
        raise typer.BadParameter(
            f"--format {form} has no place for {', '.join(more)}, which the reference sketch "
            "understands: take --port, or --format json for a file or an image of its flash.",
            param_hint="'--format'",
        )


def _over_port(
    port: str,
    fields: dict[str, str | int],
    provisioned: Provision,
    given: Callable[[], Provision],
    surroundings: Surroundings,
    *,
    force: bool,
) -> None:
    # pyserial is not needed for anything else.
    from espseal.cli.provision.port import talk

    talk.check(fields)
    try:
        with talk.Talk(port, provisioned.address, force=force) as board:
            board.write(given(), surroundings)
    except KeyboardInterrupt:
        console.note("Stopped. A board that was not told everything has what it had before.")
        raise typer.Exit(exits.INTERRUPTED) from None


def _follow(file: KeyringFile, name: str, chip: int | None, state: Path | None) -> None:
    """Gives up what a device that is provisioned anew must not have any more."""
    loaded = Keyring.load(file.path)
    provisioned = loaded.provision(name)
    known = look_up([show.find(loaded, name)], state)[0]
    reached = known.epoch or 0
    if chip is not None and not _is_of(provisioned.address, chip):
        if known.head:
            raise CommandError(
                f"{name} has sent as {provisioned.address} already: another address is another "
                "device. Remove it, and add it with --chip-id."
            )
        given = file.set_address(name, chip_id=chip)
        console.note(f"The address of {name} is now {given}. {RESTART}")
    elif reached > provisioned.epoch:
        # An earlier key is not accepted any more.
        file.set_minimum_epoch(name, reached)
        console.note(f"{name} has reached epoch {reached}: its keys before that are given up.")


def _is_of(address: str, chip: int) -> bool:
    """Whether the address has the bytes of this chip between its random ones."""
    return bytes.fromhex(address)[1::2] == chip.to_bytes(4)
