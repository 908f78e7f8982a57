"""``espseal device add``."""

from typing import Annotated, Final

import typer

from espseal import Keyring, KeyringFile
from espseal.cli import console, following
from espseal.cli.device.options import ChipOption, MacOption, chip_id, mac_topics, remind
from espseal.cli.exits import CommandError
from espseal.cli.keyring.complete import classic_names, fleet_names
from espseal.cli.options import KeyringOption, examples

EXAMPLES: Final = examples(
    "espseal device add kitchen --fleet home",
    "espseal device add attic --chip-id 11242238",
    "espseal device add shed --mac 18:fe:34:a2:66:29",
    "",
    "# devices without a key of their own, which share those of a group:",
    "espseal keyring add device cellar --group greenhouse --node-id 9032417",
)


def add(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="What you call it, or what a classic device is called.",
            autocompletion=classic_names,
        ),
    ],
    fleet: Annotated[
        str | None,
        typer.Option(
            metavar="FLEET",
            help="The fleet it is in, if there are several.",
            autocompletion=fleet_names,
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="Its address, 16 hex digits; without it a random one."),
    ] = None,
    chip: ChipOption = None,
    mac: MacOption = None,
    keyring: KeyringOption = None,
) -> None:
    """Add a device that sends sealed frames.

    A classic device of this name keeps its group, and is believed in both forms
    until you take the classic side away (device remove --only classic).

    With --mac it has topics of its own, as 'up_topic', 'hello_topic' and 'down_topic'
    in the keyring; without, those of its fleet. The address stays a random one.
    """
    if address is not None and chip is not None:
        raise typer.BadParameter("Give --address, or --chip-id, or neither.")
    number = chip_id(chip)
    topics = mac_topics(mac)
    file = KeyringFile.open(keyring)
    loaded = Keyring.load(file.path)
    migrates = any(each.name == name and each.fleet is None for each in loaded.devices)
    fleet = fleet or _only(loaded)
    given = file.add_sealed(name, fleet=fleet, address=address, chip_id=number, **topics)
    said = "Gave the device" if migrates else "Added the device"
    where = f"a place in the fleet {fleet}" if migrates else f"to the fleet {fleet}"
    console.say(f"{said} {name} {where}; its address is {given}.")
    if topics:
        console.say(f"It sends on {topics['up_topic']} and hears on {topics['down_topic']}.")
    remind()
    following.suggest("write what it needs", *("provision", name), keyring=file.path)


def _only(keyring: Keyring) -> str:
    names = [fleet.name for fleet in keyring.fleets]
    if not names:
        raise CommandError(f"{keyring.path} has no fleet yet: espseal fleet new makes one.")
    if len(names) > 1:
        raise typer.BadParameter(
            f"Name one of {', '.join(names)}.",
            param_hint="'--fleet'",
        )
    return names[0]
