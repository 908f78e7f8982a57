"""``espseal keyring import``."""

import hashlib
from pathlib import Path
from typing import Annotated, Final

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from espseal import ClassicKeys, Keyring, KeyringError, KeyringFile
from espseal.cli import console, following, questions
from espseal.cli.exits import CommandError
from espseal.cli.keyring import sketch
from espseal.cli.keyring.sketch import FIELDS, Found, Sketch
from espseal.cli.options import KeyringOption, examples

EXAMPLES: Final = examples(
    "espseal keyring import init.lua",
    "espseal keyring import Sensor.ino --name attic --topic 'attic/+' \\",
    "    --session-topic attic/session",
)

# The key in the examples of the Arduino port, which people copy; its SHA-256.
_PORT_EXAMPLE: Final = "ea8be8c0b5b83f43af81d7e83cac61732e5fd2a2f458aa37c8b755378d629cc3"
_STATIC_IV: Final = 16


def import_sketch(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The program: Lua, Arduino (C++) or Python.")
    ],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What you call the group.")
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option(metavar="FILTER", help="Where its readings arrive (an MQTT filter)."),
    ] = None,
    session_topic: Annotated[
        str | None, typer.Option(metavar="TOPIC", help="Where its nodes hear session IDs.")
    ] = None,
    allow_article_keys: Annotated[
        bool,
        typer.Option("--allow-article-keys", help="Take keys that are printed for all to read."),
    ] = False,
    danger_accept_replays: Annotated[
        bool,
        typer.Option(
            "--danger-accept-replays", help="Take frames without a session, as the port's."
        ),
    ] = False,
    keyring: KeyringOption = None,
) -> None:
    """Add a group with the keys that a device's program has.

    Reads 'staticiv', 'ivkey', 'datakey' and 'passphrase', in their many spellings,
    or the 64-character key of the Arduino port. Asks for what no option says. It
    shows where each key stands and how long it is, and no key.
    """
    target = KeyringFile.open(keyring)
    found = sketch.read(file)
    is_port = not all(found.keys.values()) and bool(found.port)
    if is_port and session_topic is not None:
        raise typer.BadParameter("The frames of the port have no session: leave it out.")
    _show(found, is_port=is_port)
    values = _port_keys(found) if is_port else _four_keys(found)
    # Says of a wrong length whose it is.
    keys = ClassicKeys(**values)
    printed = _printed(values)
    if printed is not None and not allow_article_keys:
        raise CommandError(
            f"The {printed} is printed in the article, or in the examples of the Arduino port, "
            "so everyone has it: draw new keys (espseal keyring add group) and put them into "
            "the devices. While you cannot reach them, --allow-article-keys takes it."
        )
    name = name or _answer("--name", "The name of the group", "")
    topic = topic or _answer(
        "--topic", "The topic filter of its readings", (found.topics or ["sensors/+"])[0]
    )
    if not is_port and session_topic is None:
        default = next(iter(found.session_topics), "")
        session_topic = _answer("--session-topic", "The topic of its session IDs", default)
    target.add_group(
        name,
        topic=topic,
        session_topic=session_topic,
        layout="port" if is_port else "hex",
        keys=keys,
        allow_article_keys=printed not in (None, "key"),
        danger_accept_replays=danger_accept_replays,
    )
    console.say(f"Added the group {name} with the keys of {file} to {target.path}.")
    if printed is not None:
        console.say(f"warning: everyone knows the {printed}.", "yellow")
    if is_port and not danger_accept_replays:
        console.say(
            "warning: the frames of the port carry no session, so all are refused as "
            "stale_session, unless the group says danger_accept_replays = true.",
            "yellow",
        )
    address = ("--topic", "sensors/kitchen") if is_port else ("--node-id", "11242238")
    following.suggest(
        "add each device (espseal listen --discover finds those that send)",
        *("keyring", "add", "device", "kitchen", "--group", name, *address),
        keyring=target.path,
    )


def _show(found: Sketch, *, is_port: bool) -> None:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    table.add_column("key")
    table.add_column("line", justify="right")
    table.add_column("length")
    table.add_column("written as")
    for name, places in {"key": found.port}.items() if is_port else found.keys.items():
        if not places:
            table.add_row(Text(name), Text(), Text("missing", "bold red"), Text())
        for each in places:
            length = "?" if each.value is None else f"{len(each.value)} bytes"
            table.add_row(Text(name), Text(str(each.line)), Text(length), Text(each.form))
    console.out().print(table)


def _four_keys(found: Sketch) -> dict[str, bytes]:
    missing = [name for name in FIELDS if not found.keys[name]]
    if len(missing) == len(FIELDS):
        raise CommandError("There are no keys of the article in this file, nor one of its port.")
    if missing:
        raise CommandError(f"Missing in this file: {', '.join(missing)}; nothing was added.")
    keys = {name: _one(name, found.keys[name]) for name in FIELDS}
    length = len(keys["static_iv"])
    if found.language == "lua" and length != _STATIC_IV:
        # As NodeMCU's crypto module does.
        keys["static_iv"] = keys["static_iv"][:_STATIC_IV].ljust(_STATIC_IV, b"\0")
        done = "cut off" if length > _STATIC_IV else "filled up with zero bytes"
        console.note(f"static_iv is {done} to {_STATIC_IV} bytes, as NodeMCU does it.")
    return keys


def _port_keys(found: Sketch) -> dict[str, bytes]:
    # CLASSIC.md, Sealing and opening (port).
    key = _one("key", found.port)
    parts = [key[start : start + 16] for start in range(0, len(key), 16)]
    return dict(zip(("static_iv", "iv_key", "data_key", "passphrase"), parts, strict=True))


def _one(name: str, places: list[Found]) -> bytes:
    values = list(dict.fromkeys(each.value for each in places if each.value is not None))
    lines = ", ".join(str(each.line) for each in places)
    if not values:
        raise CommandError(
            f"{name} is set in line {lines}, but not to a value that stands there: "
            "give the four with espseal keyring add group --keys prompt."
        )
    if len(values) > 1:
        raise CommandError(
            f"{name} has different values in the lines {lines}: leave one of them in the file."
        )
    return values[0]


def _printed(keys: dict[str, bytes]) -> str | None:
    """Which key everyone can read, if one is so."""
    port = b"".join(keys[each] for each in ("static_iv", "iv_key", "data_key", "passphrase"))
    if hashlib.sha256(port).hexdigest() == _PORT_EXAMPLE:
        return "key"
    # The keyring knows the article's; to find out is to read one with these keys.
    written = "\n".join(f'{name} = {{ hex = "{key.hex()}" }}' for name, key in keys.items())
    try:
        Keyring.parse(
            f'version = 1\nsession_key = "{"00" * 32}"\n[[classic_group]]\nname = "it"\n'
            f'topic = "it"\nsession_topic = "it"\n[classic_group.keys]\n{written}\n'
        )
    except KeyringError as error:
        if error.code != "article_keys":
            raise
        return (error.field or "").rpartition(".")[2]
    return None


def _answer(option: str, question: str, default: str) -> str:
    if not questions.interactive():
        raise typer.BadParameter("Give it, since there is nobody to ask.", param_hint=f"'{option}'")
    while True:
        hint = f"Enter: {default}" if default else "needed"
        answer = questions.ask(question, hint) or default
        if answer:
            return answer
