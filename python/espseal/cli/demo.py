"""``espseal demo``."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from time import monotonic
from typing import Annotated, Final

import typer

from espseal.cli import console, exits
from espseal.cli.options import examples

EXAMPLES: Final = examples(
    "espseal demo",
    "espseal demo --json | jq .ok",
)

_NEEDED: Final = {
    "lupa": "lupa",
    "amqtt": "amqtt",
    "paho": "paho-mqtt",
    "cryptography": "cryptography",
}


def demo(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print nothing but the summary, as JSON.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show the log of the broker too.")
    ] = False,
) -> None:
    """See it work: four nodes, a broker, a receiver, and an attacker.

    Needs no server, no device and no network; it ends by itself within a minute.
    Ends with 0 only if every reading arrived once, every attack was refused, and every scene
    went as told.
    """
    missing = [package for module, package in _NEEDED.items() if find_spec(module) is None]
    if missing:
        raise exits.CommandError(
            f"The demo needs {', '.join(missing)}: pip install 'espseal[demo]'"
        )
    from espseal.demo.live import Live
    from espseal.demo.show import Plain, Show, Silent
    from espseal.demo.story import play

    out = console.out()
    show: Show
    if as_json:
        show = Silent()
    elif out.is_terminal and not out.is_dumb_terminal and not out.no_color:
        show = Live(out)
    else:
        show = Plain(out)
    with _logging(verbose):
        began = monotonic()
        report = play(show)
        seconds = monotonic() - began
    if as_json:
        console.print_json(report.as_json() | {"seconds": round(seconds, 1)})
    else:
        show.summary(report, seconds)
    if problems := report.problems():
        raise exits.CommandError(" ".join(["The demo did not end as it must.", *problems]))


@contextmanager
def _logging(verbose: bool) -> Iterator[None]:
    """Keeps the broker's log off the screen: it warns of every client that goes."""
    amqtt = logging.getLogger("amqtt")
    quiet = logging.NullHandler()
    if verbose:
        logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    else:
        amqtt.addHandler(quiet)
    try:
        yield
    finally:
        amqtt.removeHandler(quiet)
