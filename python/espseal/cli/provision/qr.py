"""The JSON as a QR code in the terminal."""

import io
import json
import sys

import typer

from espseal import Provision
from espseal.cli import console, questions
from espseal.cli.exits import CommandError
from espseal.cli.provision import as_json
from espseal.cli.provision.surroundings import Surroundings


def show(provisioned: Provision, surroundings: Surroundings, *, show_key: bool) -> None:
    """Prints the code: on request, or after a yes.

    Raises:
        BadParameter: nobody asked for it, and nobody can be asked.
        Exit: the answer was no.
    """
    if not show_key:
        if not (questions.interactive() and sys.stdout.isatty()):
            raise typer.BadParameter(
                "A QR code shows the key to whoever sees it.", param_hint="'--show-key'"
            )
        if not questions.agree(
            f"Whoever sees the code has the key of {provisioned.name}. Show it?"
        ):
            raise typer.Exit(1)
    text = json.dumps(as_json.fields(provisioned, surroundings), separators=(",", ":"))
    # Of these colours whatever the terminal's are: some cameras want it so.
    console.say(_drawn(text), "bright_white on black")
    console.note(f"{provisioned.name}: address {provisioned.address}, epoch {provisioned.epoch}.")


def _drawn(text: str) -> str:
    try:
        import segno
    except ModuleNotFoundError:
        raise CommandError(
            "the QR code needs the package segno: pip install 'espseal[cli]'"
        ) from None
    # Byte mode and little correction: a terminal has few lines, and no dirt.
    try:
        code = segno.make_qr(text, error="l", boost_error=False)
    except segno.DataOverflowError:
        raise CommandError(
            "That is more than a QR code holds, a certificate above all: take --format json."
        ) from None
    drawing = io.StringIO()
    code.terminal(drawing, compact=True)
    shown = drawing.getvalue().rstrip("\n")
    try:
        shown.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        raise CommandError(
            f"This terminal ({sys.stdout.encoding}) cannot draw a QR code: take --format json."
        ) from None
    return shown
