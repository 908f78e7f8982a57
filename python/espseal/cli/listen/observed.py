"""A receiver, and what goes through it: what only it sees, and no callback is told."""

from collections.abc import Callable
from time import monotonic
from typing import cast

from espseal import Message, Publication, Receiver


class Observed:
    """Stands for a receiver where an adapter wants one (`as_receiver`).

    Arguments:
        receiver: does the work.
        opened: called with each message, and its payload, before it is handed over: with the
            hellos and control frames of sealed devices, too.
    """

    def __init__(self, receiver: Receiver, opened: Callable[[Message, bytes], object]) -> None:
        self._receiver = receiver
        self._opened = opened
        self._unheard: dict[str, tuple[bytes, float]] = {}

    def as_receiver(self) -> Receiver:
        """This, for who wants a receiver and looks at nothing but its methods."""
        return cast("Receiver", self)

    def silent(self, seconds: float) -> tuple[str, ...]:
        """The topics on which our own IDs have not come back within so many seconds.

        A broker that denies a topic says so only under MQTT 5, and Mosquitto's ACL file denies
        subscriptions in silence under both versions.
        """
        now = monotonic()
        waiting = dict(self._unheard)
        return tuple(topic for topic, (_, since) in waiting.items() if now - since > seconds)

    def open(self, payload: bytes, *, topic: str, retained: bool) -> Message:
        """As `Receiver.open`."""
        message = self._receiver.open(payload, topic=topic, retained=retained)
        self._opened(message, payload)
        return message

    def hear(self, payload: bytes, *, topic: str, retained: bool) -> bool:
        """As `Receiver.hear`."""
        if self._unheard.get(topic, (None,))[0] == payload:
            del self._unheard[topic]
        return self._receiver.hear(payload, topic=topic, retained=retained)

    def publications(self) -> list[Publication]:
        """As `Receiver.publications`."""
        publications = self._receiver.publications()
        for each in publications:
            if each.retain:
                since = self._unheard.get(each.topic, (b"", monotonic()))[1]
                self._unheard[each.topic] = each.payload, since
        return publications

    def reconnected(self) -> None:
        """As `Receiver.reconnected`."""
        self._unheard.clear()
        self._receiver.reconnected()

    def __getattr__(self, name: str) -> object:
        return getattr(self._receiver, name)
