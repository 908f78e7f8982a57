"""``espseal send``."""

import sys
from pathlib import Path
from time import monotonic
from typing import Annotated, Final

import typer

from espseal import Error, Keyring, Sender
from espseal.cli import console, exits
from espseal.cli.broker.options import Broker, with_broker
from espseal.cli.keyring.complete import device_names
from espseal.cli.options import JsonOption, KeyringOption, examples
from espseal.cli.send.progress import Progress
from espseal.cli.state import MemoryOption, StateOption, open_store

EXAMPLES: Final = examples(
    "espseal send kitchen on",
    "espseal send kitchen --file command.bin --timeout 300",
    "espseal send kitchen on --json | jq .acknowledged",
    "printf off | espseal send kitchen - --host broker.example --ca ca.pem",
)


@with_broker
def send(
    broker: Broker,
    device: Annotated[
        str,
        typer.Argument(
            metavar="DEVICE", help="Its name in the keyring.", autocompletion=device_names
        ),
    ],
    data: Annotated[
        str | None, typer.Argument(metavar="DATA", help="The command; - reads it from the input.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Read it from a file, byte for byte.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0, metavar="S", help="How long to wait, in seconds.")
    ] = 30,
    keyring: KeyringOption = None,
    state: StateOption = None,
    memory: MemoryOption = False,
    as_json: JsonOption = False,
) -> None:
    """Send a command to a device.

    A sealed device acknowledges it, and this ends when it does. A receiver has to run on
    the same state (espseal listen): it welcomes the device, which commands need.

    A classic device shows a session for its next command; this waits until it does,
    seals the command under it, and ends when the broker has it. Whether the
    device obeys is in its next reading. Its group needs a 'command_topic' and a
    'command_session_topic' in the keyring.
    """
    # Paho is not needed for any --help.
    from espseal.cli.send import run
    from espseal.cli.send.courier import Courier

    if (data is None) == (file is None):
        raise typer.BadParameter("Give either DATA or --file.", param_hint="'DATA'")
    if file is not None:
        command = file.read_bytes()
    else:
        command = sys.stdin.buffer.read() if data == "-" else (data or "").encode()
    loaded = Keyring.load(keyring)
    sender = Sender(loaded, open_store(state, memory))
    # An unknown name is an error of the sender's.
    sender.is_ready(device)
    entry = next(each for each in loaded.devices if each.name == device)
    ends = None if entry.fleet is None else loaded.provision(device)
    progress = Progress()
    began = monotonic()

    def report(error: Exception | None) -> None:
        if as_json:
            seconds = round(monotonic() - began, 3)
            reason = None if error is None else str(error)
            record = {"device": device, "bytes": len(command)} | progress.record()
            console.print_json(record | {"seconds": seconds, "reason": reason})

    try:
        run.send(Courier(broker, sender, entry, timeout, ends, progress), command)
    except (exits.CommandError, Error) as error:
        report(error)
        raise
    report(None)
    if not as_json:
        size = f"{len(command)} byte{'' if len(command) == 1 else 's'}"
        end = "it has acknowledged it" if progress.acknowledged else "the broker has it"
        console.say(f"Sent {size} to {device}; {end}.", "green")
