"""Carries one frame to a device: waits for its session, publishes, waits for what comes of it."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import inf
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Final, TypeAlias, TypeVar

from espseal import DeviceEntry, Provision, Publication, Sender, SessionError
from espseal.cli import console
from espseal.cli.broker.connection import Connection, Down, Up
from espseal.cli.broker.options import Broker
from espseal.cli.broker.patience import Patience, denied
from espseal.cli.data import printable
from espseal.cli.exits import BrokerError, CommandError, TimeUpError
from espseal.cli.send.mail import Acknowledged, Answered, Heard, Mail, Told, Unreadable
from espseal.cli.send.progress import Progress

__all__ = ["Acknowledged", "Answered", "Courier", "Event", "Told"]

Event: TypeAlias = Up | Down | Heard | Acknowledged | Told | Answered
_Result = TypeVar("_Result")

# In seconds: how often the store is asked for what other processes have learnt, and how often the
# very same frame goes out until it is done.
_TICK: Final = 0.2
_AGAIN: Final = 3.0


@dataclass(frozen=True)
class Courier:
    """Carries a frame over a connection of its own.

    Arguments:
        broker: what it connects to.
        sender: seals for the device, and understands what that says.
        device: whom it is for.
        timeout: for all of it, in seconds.
        ends: where a sealed device hears and answers, None for a classic one.
        progress: how far it has come, when `carry` has returned or raised.
    """

    broker: Broker
    sender: Sender
    device: DeviceEntry
    timeout: float
    ends: Provision | None
    progress: Progress = field(default_factory=Progress)

    def carry(
        self,
        seal: Callable[[], Publication],
        done: Callable[[Event | None], _Result | None],
        *,
        unanswered: str,
    ) -> _Result:
        """Publishes what ``seal`` makes once the device has a session, until that is done.

        Arguments:
            seal: makes the frame; called again until there is a session.
            done: says what came of it, or None to wait on. It gets each event, and None at least
                every 0.2 seconds.
            unanswered: the sentence for when the time is up and all was said.

        Raises:
            BrokerError: the broker is down, refuses, or does not allow it.
            TimeUpError: the device has no session, or it was not done in time; or the broker does
                not answer.
            CommandError: nobody would hear it, or no receiver runs that could have met the device.
            Error: as ``seal``.
        """
        name, progress = self.device.name, self.progress
        # What cannot be sent at all is said before anything is waited for.
        if not self.sender.is_ready(name):
            self._try(seal)
        events: SimpleQueue[Any] = SimpleQueue()
        patience = Patience(endless=False)
        deadline = monotonic() + self.timeout
        again, event, ours = inf, None, set[int]()
        progress.missing = "connection"
        with ExitStack() as stack:
            connection = Connection(self.broker, events)
            mail = Mail(connection.client, self.sender, events, self.device, self.ends)
            status = stack.enter_context(console.err().status(f"Connecting to {self.broker} ..."))
            stack.enter_context(connection)
            while True:
                result = done(event)
                if result is not None:
                    progress.missing = None
                    return result
                if patience.connected and progress.sent is None and self.sender.is_ready(name):
                    progress.sent = self._try(seal)
                    again = monotonic()
                if progress.sent is not None and again <= monotonic():
                    ours.add(mail.send(progress.sent))
                    again = inf if progress.sent.tag is None else monotonic() + _AGAIN
                    progress.missing = progress.answer
                    whom = (
                        "the broker to confirm" if again == inf else f"{printable(name)} to answer"
                    )
                    status.update(f"Waiting for {whom} ...")
                left = deadline - monotonic()
                if left <= 0:
                    raise self._late(patience, unanswered)
                try:
                    event = events.get(timeout=min(_TICK, left))
                except Empty:
                    event = None
                if isinstance(event, Up):
                    mail.connected()
                    if progress.sent is None:
                        progress.missing = "session"
                        status.update(f"Waiting for {printable(name)} to show a session ...")
                        if self.ends is not None and not self.sender.is_ready(name):
                            mail.ask(self.ends.down_topic)
                if isinstance(event, Up | Down):
                    news = patience.judge(event)
                    if news is not None:
                        console.note(news)
                elif isinstance(event, Unreadable):
                    raise denied(f"read {', '.join(event.topics)}")
                elif isinstance(event, Answered):
                    self._judge(event, asked=event.mid not in ours)
                    event = event if event.mid in ours else None

    def _try(self, seal: Callable[[], Publication]) -> Publication | None:
        """What to publish, once the device has a session."""
        try:
            return seal()
        except SessionError as error:
            if error.code == "not_authority":
                self.progress.missing = "receiver"
                raise CommandError(
                    f"No receiver on this state publishes the beacon of the fleet "
                    f"{self.device.fleet}, which {self.device.name} needs for commands: start "
                    "espseal listen or your program first, or send where it runs."
                ) from None
            if error.code != "no_session":
                raise
            return None

    def _judge(self, event: Answered, *, asked: bool) -> None:
        if event.denied:
            topic = self.progress.sent.topic if self.progress.sent else None
            raise denied(f"write {topic or (self.ends and self.ends.down_topic)}")
        # Who was asked for a hello may come later, and say it then unasked.
        if event.unheard and not asked:
            raise CommandError(
                f"Nobody hears it: {self.device.name} is not connected to the broker at "
                f"{self.broker}."
            )

    def _late(self, patience: Patience, unanswered: str) -> CommandError:
        if not patience.connected:
            why = patience.trouble or f"The broker at {self.broker} did not answer in time."
            return BrokerError(why)
        within = f"within {self.timeout:g} seconds"
        if self.progress.sent is not None:
            if self.progress.sent.tag is None:
                return TimeUpError(f"The broker at {self.broker} did not confirm it {within}.")
            return TimeUpError(unanswered)
        name, lacks = self.device.name, f"has shown no new session {within}"
        if self.device.group is None:
            lacks = f"has no session for commands, and said no hello {within} though it was asked"
        return TimeUpError(
            f"{name} {lacks}, so nothing was sent: is it connected, and does its firmware take "
            "commands?"
        )
