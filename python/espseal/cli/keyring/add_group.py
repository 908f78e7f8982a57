"""``espseal keyring add group``."""

from enum import StrEnum
from typing import Annotated, Final, Literal

import typer

from espseal import KeyringFile
from espseal.cli import console, following
from espseal.cli.keyring.ask import ask_for_keys
from espseal.cli.options import KeyringOption, examples

EXAMPLES: Final = examples(
    "espseal keyring add group greenhouse --topic 'sensors/+' \\",
    "    --session-topic sensors/session",
    "",
    "# devices that are in the field already, with keys of their own:",
    "espseal keyring add group attic --topic 'attic/+' \\",
    "    --session-topic attic/session --layout raw --keys prompt",
    "",
    "# devices that take commands:",
    "espseal keyring add group relays --topic 'relays/+' --session-topic relays/session \\",
    "    --command-topic 'relays/{node_id}/command' \\",
    "    --command-session-topic 'relays/{node_id}/session'",
)


class KeySource(StrEnum):
    """Where the four keys of a group come from."""

    GENERATE = "generate"
    PROMPT = "prompt"


def add_group(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call the group.")],
    topic: Annotated[
        str, typer.Option(metavar="FILTER", help="Where its readings arrive (an MQTT filter).")
    ],
    session_topic: Annotated[
        str, typer.Option(metavar="TOPIC", help="Where its nodes hear session IDs.")
    ],
    layout: Annotated[
        Literal["hex", "raw"], typer.Option(help="How its frames look on the wire.")
    ] = "hex",
    data: Annotated[
        Literal["text", "binary"], typer.Option(help="Binary data may end in zero bytes.")
    ] = "text",
    mac: Annotated[
        Literal["unpadded", "padded"],
        typer.Option(help="What the MAC covers; padded only where its author changed that."),
    ] = "unpadded",
    policy: Annotated[
        Literal["pool", "strict"],
        typer.Option(help="Several session IDs at a time, or one for one message."),
    ] = "pool",
    session_interval: Annotated[
        int | None,
        typer.Option(min=1, metavar="S", help="Seconds between two session IDs; 30."),
    ] = None,
    session_life: Annotated[
        int | None, typer.Option(min=1, metavar="S", help="Seconds that each is good; 120.")
    ] = None,
    command_topic: Annotated[
        str | None,
        typer.Option(metavar="TOPIC", help="Where commands to a node go, with {node_id} in it."),
    ] = None,
    command_session_topic: Annotated[
        str | None,
        typer.Option(metavar="TOPIC", help="Where it shows the session IDs for them."),
    ] = None,
    keys: Annotated[
        KeySource,
        typer.Option(help="Draw four new keys, or ask for those that the nodes have."),
    ] = KeySource.GENERATE,
    keyring: KeyringOption = None,
) -> None:
    """Add a group: nodes that share four keys and a session topic.

    Keys are never options, for the shell remembers what you type: '--keys prompt'
    asks for the four without showing them, or reads four lines from a pipe.
    """
    file = KeyringFile.open(keyring)
    given = ask_for_keys() if keys is KeySource.PROMPT else None
    file.add_group(
        name,
        topic=topic,
        session_topic=session_topic,
        layout=layout,
        data=data,
        mac=mac,
        policy=policy,
        session_interval=session_interval,
        session_life=session_life,
        command_topic=command_topic,
        command_session_topic=command_session_topic,
        keys=given,
    )
    origin = "four new keys" if given is None else "the four keys that you gave"
    console.say(f"Added the group {name} with {origin} to {file.path}.")
    following.suggest(
        "add each node under the ID that node.chipid() prints on it",
        *("keyring", "add", "device", "kitchen", "--group", name, "--node-id", "11242238"),
        keyring=file.path,
    )
