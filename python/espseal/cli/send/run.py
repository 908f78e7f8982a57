"""Waits for the device, sends, and says what became of it."""

from collections.abc import Callable
from contextlib import ExitStack
from math import inf
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Final, TypeVar

from espseal import DeviceEntry, Publication, Sender, SessionError
from espseal.cli import console
from espseal.cli.broker.connection import Connection, Down, Up
from espseal.cli.broker.options import Broker
from espseal.cli.broker.patience import Patience, denied
from espseal.cli.data import printable
from espseal.cli.exits import BrokerError, CommandError, TimeUpError
from espseal.cli.send.courier import Acknowledged, Answered, Courier, Told

# In seconds: how often the store is asked for the device's session, and how often the very same
# frame goes out until the device acknowledges it.
_TICK: Final = 0.2
_AGAIN: Final = 3.0

_Answer = TypeVar("_Answer", Acknowledged, Told)


def send(
    broker: Broker,
    sender: Sender,
    device: DeviceEntry,
    seal: Callable[[], Publication],
    timeout: float,
    answers: str | None,
    until: type[_Answer],
) -> _Answer | None:
    """Sends one command, or raises why not.

    Arguments:
        broker: carries it.
        sender: says whether the device has a session, and what its answers are.
        device: whom it is for.
        seal: makes the command with the sender.
        timeout: for all of it, in seconds.
        answers: the topic on which a sealed device acknowledges.
        until: the answer that is waited for.

    Returns:
        The answer of the device; None from a classic one, which gives none.

    Raises:
        BrokerError: the broker is down, refuses, or does not allow it.
        TimeUpError: the device shows no session, or does not acknowledge; or the broker does
            not answer.
        CommandError: the broker knows nobody who would hear it.
        Error: as ``seal``.
    """
    # What cannot be sent at all is said before anything is waited for.
    name = device.name
    if not sender.is_ready(name):
        _try(seal)
    events: SimpleQueue[Any] = SimpleQueue()
    patience = Patience(endless=False)
    deadline = monotonic() + timeout
    sent: Publication | None = None
    again = inf
    with ExitStack() as stack:
        connection = Connection(broker, events)
        courier = Courier(connection.client, sender, events, name, answers)
        status = stack.enter_context(console.err().status(f"Connecting to {broker} ..."))
        stack.enter_context(connection)
        while True:
            if patience.connected and sent is None and sender.is_ready(name):
                sent = _try(seal)
                again = monotonic()
            if sent is not None and again <= monotonic():
                courier.send(sent)
                again = inf if sent.tag is None else monotonic() + _AGAIN
                whom = "the broker to confirm" if sent.tag is None else f"{printable(name)}"
                status.update(f"Waiting for {whom} ...")
            left = deadline - monotonic()
            if left <= 0:
                raise _late(device, timeout, broker, patience, sent)
            try:
                event = events.get(timeout=min(_TICK, left))
            except Empty:
                continue
            if isinstance(event, Up):
                courier.connected()
                status.update(f"Waiting for {printable(name)} to show a session ...")
            if isinstance(event, Up | Down):
                news = patience.judge(event)
                if news is not None:
                    console.note(news)
            elif sent is not None and isinstance(event, until):
                if isinstance(event, Told) or event.tag == sent.tag:
                    return event
            elif isinstance(event, Answered):
                if event.problem is not None:
                    raise denied(event.problem)
                if event.unheard:
                    raise CommandError(
                        f"Nobody hears it: {name} is not connected to the broker at {broker}."
                    )
                if sent is not None and sent.tag is None:
                    return None


def _try(seal: Callable[[], Publication]) -> Publication | None:
    """What to publish, once the device has a session."""
    try:
        return seal()
    except SessionError as error:
        if error.code != "no_session":
            raise
        return None


def _late(
    device: DeviceEntry,
    timeout: float,
    broker: Broker,
    patience: Patience,
    sent: Publication | None,
) -> CommandError:
    if not patience.connected:
        why = patience.trouble or f"The broker at {broker} did not answer in time."
        return BrokerError(why)
    within = f"within {timeout:g} seconds"
    if sent is not None and sent.tag is None:
        return TimeUpError(f"The broker at {broker} did not confirm it {within}.")
    if sent is not None:
        return TimeUpError(
            f"{device.name} did not acknowledge it {within}; it may have acted on it or not. "
            "Is it connected?"
        )
    return TimeUpError(
        f"{device.name} has shown no new session {within}, so nothing was sent: "
        "is it connected, and does its firmware take commands?"
    )
