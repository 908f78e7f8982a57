"""``espseal fleet new``."""

from typing import Annotated, Final

import typer

from espseal import KeyringFile
from espseal.cli import console, following
from espseal.cli.options import KeyringOption, examples

EXAMPLES: Final = examples(
    "espseal fleet new home",
    "",
    "# topics of your own, each with {address} as one of its levels:",
    "espseal fleet new barn --beacon-topic barn/beacon --up-topic 'barn/{address}/up'",
)


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call the fleet.")],
    beacon_topic: Annotated[
        str | None,
        typer.Option(metavar="TOPIC", help="Where its beacon is; espseal/NAME/beacon."),
    ] = None,
    up_topic: Annotated[
        str | None,
        typer.Option(metavar="TOPIC", help="Where a device sends; espseal/{address}/up."),
    ] = None,
    hello_topic: Annotated[
        str | None,
        typer.Option(metavar="TOPIC", help="Where it says hello; espseal/{address}/hello."),
    ] = None,
    down_topic: Annotated[
        str | None,
        typer.Option(metavar="TOPIC", help="Where it hears you; espseal/{address}/down."),
    ] = None,
    beacon_interval: Annotated[
        int | None,
        typer.Option(min=1, metavar="S", help="Seconds between two beacon sessions; 60."),
    ] = None,
    beacon_life: Annotated[
        int | None, typer.Option(min=1, metavar="S", help="Seconds that each is good; 120.")
    ] = None,
    keyring: KeyringOption = None,
) -> None:
    """Add a fleet with a new key to the keyring.

    Each of its devices gets a key that is derived from the fleet's, and never the
    fleet's own.
    """
    file = KeyringFile.open(keyring)
    file.add_fleet(
        name,
        beacon_topic=beacon_topic,
        up_topic=up_topic,
        hello_topic=hello_topic,
        down_topic=down_topic,
        beacon_interval=beacon_interval,
        beacon_life=beacon_life,
    )
    console.say(f"Added the fleet {name} with a new key to {file.path}.")
    following.suggest(
        "add a device to it",
        *("device", "add", "kitchen", "--fleet", name),
        keyring=file.path,
    )
