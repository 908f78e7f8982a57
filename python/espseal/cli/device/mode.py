"""``espseal device mode``."""

from enum import StrEnum
from typing import Annotated, Final

import typer

from espseal import Keyring, Sender
from espseal.cli import console
from espseal.cli.broker.options import Broker, with_broker
from espseal.cli.device import show
from espseal.cli.device.options import SealedArgument
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
    from espseal.cli.device import switch
    from espseal.cli.send.courier import Courier

    loaded = Keyring.load(keyring)
    device = show.find(loaded, name)
    ends = None if device.fleet is None else loaded.provision(name)
    courier = Courier(broker, Sender(loaded, open_store(state, False)), device, timeout, ends)
    found: str | int
    if wanted is None:
        code = switch.ask(courier)
        found = str(_CODES[code]) if code < len(_CODES) else code
        said = f"{name} is in mode {found}."
    else:
        switch.switch(courier, _CODES.index(wanted))
        found = str(wanted)
        said = f"{name} has acknowledged it: {_DONE[wanted]}."
    if as_json:
        console.print_json({"device": name, "mode": found})
    else:
        console.say(said, "green")
