"""Asks a device for its next key over the broker, and waits until a receiver has heard of it."""

from contextlib import ExitStack
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Final

from espseal import DeviceEntry, Keyring, Publication, Sender, SessionError, Store
from espseal.cli import console
from espseal.cli.broker.connection import Connection, Down, Up
from espseal.cli.broker.options import Broker
from espseal.cli.broker.patience import Patience, denied
from espseal.cli.data import printable
from espseal.cli.exits import BrokerError, CommandError, TimeUpError
from espseal.cli.send.courier import Answered, Courier

# In seconds: how often the store is looked at.
_TICK: Final = 0.2


def ratchet(
    broker: Broker, keyring: Keyring, store: Store, device: DeviceEntry, timeout: float
) -> int:
    """Returns the epoch that the device has come to, or raises why it has not.

    Raises:
        BrokerError: the broker is down, refuses, or does not allow it.
        TimeUpError: the device does not answer.
        CommandError: the broker knows nobody who would hear it.
        Error: as `Sender.ratchet`.
    """
    name = device.name
    sender = Sender(keyring, store)
    # What waiting does not cure is said before anything is waited for.
    if not sender.is_ready(name):
        _try(sender, name)
    before = _epoch(store, device)
    events: SimpleQueue[Any] = SimpleQueue()
    patience = Patience(endless=False)
    deadline = monotonic() + timeout
    sent = False
    with ExitStack() as stack:
        connection = Connection(broker, events)
        courier = Courier(connection.client, sender, events, name)
        status = stack.enter_context(console.err().status(f"Connecting to {broker} ..."))
        stack.enter_context(connection)
        while True:
            reached = _epoch(store, device)
            if reached > before:
                return reached
            if patience.connected and not sent:
                # Not before: the device may show another session meanwhile.
                publication = _try(sender, name)
                if publication is not None:
                    courier.send(publication)
                    sent = True
                status.update(f"Waiting for {printable(name)} to answer ...")
            left = deadline - monotonic()
            if left <= 0:
                if patience.connected and not sent:
                    sender.ratchet(name)
                raise _late(name, timeout, broker, patience)
            try:
                event = events.get(timeout=min(_TICK, left))
            except Empty:
                continue
            if isinstance(event, Up | Down):
                news = patience.judge(event)
                if news is not None:
                    console.note(news)
            elif isinstance(event, Answered):
                if event.problem is not None:
                    raise denied(event.problem)
                if event.unheard:
                    raise CommandError(
                        f"Nobody hears it: {name} is not connected to the broker at {broker}."
                    )


def _epoch(store: Store, device: DeviceEntry) -> int:
    stored = store.devices([device.address])[0] if device.address is not None else None
    reached = None if stored is None else stored.epoch
    return max(reached or 0, device.minimum_epoch or 0)


def _try(sender: Sender, name: str) -> Publication | None:
    """What to publish, once the device has a session."""
    try:
        return sender.ratchet(name)
    except SessionError as error:
        if error.code != "no_session":
            raise
        return None


def _late(name: str, timeout: float, broker: Broker, patience: Patience) -> CommandError:
    if not patience.connected:
        return BrokerError(patience.trouble or f"The broker at {broker} did not answer in time.")
    return TimeUpError(
        f"{name} has not answered within {timeout:g} seconds. It may do so later: "
        f"espseal device show {name}."
    )
