"""``espseal device rotate``."""

from typing import Annotated, Final

import typer

from espseal import Keyring
from espseal.cli import console
from espseal.cli.broker.options import Broker, with_broker
from espseal.cli.device import show
from espseal.cli.device.options import SealedArgument
from espseal.cli.options import KeyringOption, examples
from espseal.cli.state import StateOption, open_store

EXAMPLES: Final = examples(
    "espseal device rotate kitchen",
    "espseal device rotate kitchen --timeout 300 --host broker.example",
)


@with_broker
def rotate(
    broker: Broker,
    name: SealedArgument,
    timeout: Annotated[
        float, typer.Option(min=0, metavar="S", help="How long to wait, in seconds.")
    ] = 30,
    keyring: KeyringOption = None,
    state: StateOption = None,
) -> None:
    """Have a device make its next key out of the one it has, and forget that.

    Whoever takes the device later cannot read what it sent before. It heals no key
    that is known already: that takes device rekey. A receiver has to run on the same
    store (espseal listen): it hears the device's answer, for which this waits.
    """
    # Paho is not needed for any --help.
    from espseal.cli.device import ratchet

    loaded = Keyring.load(keyring)
    device = show.find(loaded, name)
    epoch = ratchet.ratchet(broker, loaded, open_store(state, False), device, timeout)
    console.say(f"{name} has come to epoch {epoch}.", "green")
