"""``espseal keyring add device``."""

from typing import Annotated, Final

import typer

from espseal import KeyringFile
from espseal.cli import console, following
from espseal.cli.keyring.complete import group_names
from espseal.cli.options import KeyringOption, examples

EXAMPLES: Final = examples(
    "espseal keyring add device kitchen --group greenhouse --node-id 11242238",
    "",
    "# a device of the Arduino port, which its topic names:",
    "espseal keyring add device attic --group port --topic sensors/attic",
)


def add_device(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call the device.")],
    group: Annotated[
        str,
        typer.Option(metavar="GROUP", help="The group it is in.", autocompletion=group_names),
    ],
    node_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="What node.chipid() prints on it, in decimal."),
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option(metavar="TOPIC", help="Instead, in layout port: where its readings arrive."),
    ] = None,
    keyring: KeyringOption = None,
) -> None:
    """Add a device to a group.

    The receiver believes only the nodes that the keyring lists: another one that has
    the same keys is refused as 'unknown_device'.
    """
    if (node_id is None) == (topic is None):
        raise typer.BadParameter("Give --node-id, or in layout port --topic.")
    file = KeyringFile.open(keyring)
    file.add_device(name, group=group, node_id=node_id, topic=topic)
    known_by = f"node ID {node_id}" if node_id is not None else f"topic {topic}"
    console.say(f"Added the device {name} ({known_by}) to the group {group}.")
    if topic is None:
        console.say(
            f"If the node does not have the keys of {group} yet, copy them out of {file.path} into "
            "its config.lua."
        )
    following.suggest("look at what the keyring holds", "keyring", "check", keyring=file.path)
