"""Waits for the node, sends, and says what became of it."""

from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from espseal import Sender, SessionError
from espseal.cli import console
from espseal.cli.broker.connection import Connection, Down, Up
from espseal.cli.broker.options import Broker
from espseal.cli.broker.patience import Patience, denied
from espseal.cli.data import printable
from espseal.cli.exits import BrokerError, CommandError, TimeUpError
from espseal.cli.send.courier import Answered, Courier, Heard


def send(broker: Broker, sender: Sender, device: str, data: bytes, timeout: float) -> None:
    """Sends one command, or raises why not.

    Raises:
        BrokerError: the broker is down, refuses, or does not allow it.
        TimeUpError: the node shows no session, or the broker does not answer.
        CommandError: the broker knows nobody who would hear it.
        Error: as `Sender.seal`.
    """
    # What cannot be sent at all is said before anything is waited for.
    with suppress(SessionError):
        sender.seal(device, data)
    events: SimpleQueue[Any] = SimpleQueue()
    patience = Patience(endless=False)
    deadline = monotonic() + timeout
    sent = False
    with ExitStack() as stack:
        connection = Connection(broker, events)
        courier = Courier(connection.client, sender, events)
        status = stack.enter_context(console.err().status(f"Connecting to {broker} ..."))
        stack.enter_context(connection)
        while True:
            try:
                event = events.get(timeout=max(0.0, deadline - monotonic()))
            except Empty:
                raise _late(device, timeout, broker, patience, sent=sent) from None
            if isinstance(event, Up):
                courier.connected()
                status.update(f"Waiting for {printable(device)} to show a session ...")
            if isinstance(event, Up | Down):
                news = patience.judge(event)
                if news is not None:
                    console.note(news)
            elif isinstance(event, Heard) and not sent and sender.is_ready(device):
                # A session that was used before, and is still on the topic, is none.
                with suppress(SessionError):
                    courier.send(sender.seal(device, data))
                    sent = True
                    status.update("Waiting for the broker to confirm ...")
            elif isinstance(event, Answered):
                if event.problem is not None:
                    raise denied(event.problem)
                if event.unheard:
                    raise CommandError(
                        f"Nobody hears it: {device} is not connected to the broker at {broker}."
                    )
                return


def _late(
    device: str, timeout: float, broker: Broker, patience: Patience, *, sent: bool
) -> CommandError:
    if not patience.connected:
        why = patience.trouble or f"The broker at {broker} did not answer in time."
        return BrokerError(why)
    if sent:
        return TimeUpError(f"The broker at {broker} did not confirm it within {timeout:g} seconds.")
    return TimeUpError(
        f"{device} has shown no new session within {timeout:g} seconds, so nothing was sent: "
        "is it connected, and does its firmware take commands?"
    )
