"""What several of the commands take, and say."""

import re
from typing import Annotated, Final, TypeAlias

import typer

from espseal.cli import console, questions
from espseal.cli.keyring.complete import device_names, sealed_names

DeviceArgument: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Its name in the keyring.", autocompletion=device_names),
]

SealedArgument: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Its name in the keyring.", autocompletion=sealed_names),
]

YesOption: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

RESTART: Final = (
    "Programs read the keyring when they start: restart those that run, espseal listen too."
)


def confirm(question: str, *, yes: bool) -> None:
    """Asks before what cannot be taken back; where there is nobody to ask, wants ``--yes``.

    Raises:
        BadParameter: nobody can be asked.
        Exit: the answer was no.
    """
    if yes:
        return
    if not questions.interactive():
        raise typer.BadParameter("Give it, since there is nobody to ask.", param_hint="'--yes'")
    if not questions.agree(question):
        console.note("Nothing was changed.")
        raise typer.Exit(1)


def remind() -> None:
    """Says that receivers have to learn of a change."""
    console.say(RESTART)


def chip_id(text: str | None) -> int | None:
    """A chip's ID: decimal as node.chipid() prints it, or with 0x; of a MAC its last four bytes.

    Raises:
        BadParameter: it is none of them.
    """
    if text is None:
        return None
    if ":" in text or "-" in text:
        mac = _mac(text)
        number = -1 if mac is None else int.from_bytes(mac[-4:])
    else:
        try:
            number = int(text, 0)
        except ValueError:
            number = -1
    if not 0 <= number < 1 << 32:
        raise typer.BadParameter(
            "It is a number below 2^32, as node.chipid() prints it, or a MAC address.",
            param_hint="'--chip-id'",
        )
    return number


def mac_topics(text: str | None) -> dict[str, str]:
    """The topics of a board that calls them by its MAC: what it sends, and what it hears.

    Raises:
        BadParameter: it is no MAC.
    """
    if text is None:
        return {}
    mac = _mac(text)
    if mac is None:
        raise typer.BadParameter(
            "It is six pairs of hex digits, like 18:fe:34:a2:66:29; esptool prints it when it "
            "flashes the board.",
            param_hint="'--mac'",
        )
    sends, hears = f"mqtt_tx_{mac.hex()}", f"mqtt_rx_{mac.hex()}"
    return {"up_topic": sends, "hello_topic": sends, "down_topic": hears}


def _mac(text: str) -> bytes | None:
    digits = text.replace(":", "").replace("-", "")
    return bytes.fromhex(digits) if re.fullmatch("[0-9a-fA-F]{12}", digits) else None


ChipOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--chip-id",
        metavar="ID",
        help="What node.chipid() prints, or the MAC: goes into the address between random bytes.",
    ),
]

MacOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--mac",
        metavar="MAC",
        help="Call its topics by its MAC: it sends on mqtt_tx_18fe34a26629, hears on mqtt_rx_...",
    ),
]
