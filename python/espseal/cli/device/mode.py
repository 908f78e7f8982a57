"""``espseal device mode``."""

from enum import StrEnum
from typing import Annotated, Final

import typer

from espseal import Keyring, Publication, Sender
from espseal.cli import console
from espseal.cli.broker.options import Broker, with_broker
from espseal.cli.device import show
from espseal.cli.device.options import SealedArgument
from espseal.cli.exits import CommandError
from espseal.cli.options import JsonOption, KeyringOption, examples
from espseal.cli.state import StateOption, open_store

EXAMPLES: Final = examples(
    "espseal device mode kitchen",
    "espseal device mode kitchen configure",
    "espseal device mode kitchen --json --host broker.example",
)


class Mode(StrEnum):
    """What the reference sketch does; in a control frame 0 and 1."""

    RUN = "run"
    CONFIGURE = "configure"


_CODES: Final = tuple(Mode)
_DONE: Final = {
    Mode.RUN: "it runs",
    Mode.CONFIGURE: "it restarts and opens its access point for 5 minutes, then it runs again. "
    "Name and password of the access point are on its serial port",
}


@with_broker
def mode(
    broker: Broker,
    name: SealedArgument,
    wanted: Annotated[
        Mode | None,
        typer.Argument(metavar="[run|configure]", help="What to switch to; without it, ask."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0, metavar="S", help="How long to wait, in seconds.")
    ] = 30,
    keyring: KeyringOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a device for its mode, or switch it.

    The question and the switch are sealed: nobody else can switch it. A receiver has to
    run on the same store (espseal listen): it welcomes the device, which this needs.
    The modes are those of the reference sketch for the ESP8266.
    """
    # Paho is not needed for any --help.
    from espseal.cli.send import run
    from espseal.cli.send.courier import Acknowledged, Told

    loaded = Keyring.load(keyring)
    device = show.find(loaded, name)
    sender = Sender(loaded, open_store(state, False))

    # Of a classic device the sender says that it has no modes.
    answers = loaded.provision(name).up_topic if device.fleet is not None else None
    found: str | int
    if wanted is None:

        def ask() -> Publication:
            return sender.query_mode(name)

        told = run.send(broker, sender, device, ask, timeout, answers, until=Told)
        if told is None:
            raise CommandError(f"{name} is a classic device, which has no modes.")
        found = str(_CODES[told.mode]) if told.mode < len(_CODES) else told.mode
        said = f"{name} is in mode {found}."
    else:
        code = _CODES.index(wanted)

        def switch() -> Publication:
            return sender.set_mode(name, code)

        run.send(broker, sender, device, switch, timeout, answers, until=Acknowledged)
        found = str(wanted)
        said = f"{name} has acknowledged it: {_DONE[wanted]}."
    if as_json:
        console.print_json({"device": name, "mode": found})
    else:
        console.say(said, "green")
