"""Receives: the receiver and the Paho adapter, with an event for all that happens."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Final

import paho.mqtt.client as mqtt

import espseal.paho
from espseal import Keyring, Message, Receiver, Store
from espseal._adapter import reading_filters
from espseal.cli.listen.gaps import Gaps
from espseal.cli.listen.observed import Observed
from espseal.cli.listen.received import Received

_LOGGER: Final = logging.getLogger(espseal.paho.__name__)
# In seconds: how long our own IDs may take to come back from the broker.
_ECHO: Final = 10.0


@dataclass(frozen=True)
class Notice:
    """Something that a person should know.

    Arguments:
        text: one sentence.
        topic: which the broker denies, if that is what it says.
    """

    text: str
    topic: str | None = None


@dataclass(frozen=True)
class Failure:
    """Nothing more can be received."""

    error: Exception


class Listener:
    """Opens what a client receives.

    Arguments:
        client: connected, or going to be.
        keyring: whom to believe.
        store: what was learnt.
        filters: the topics that were named; those of sealed devices are read in any case.
        authority: whether to publish session IDs.
        keep: stores a fresh reading, on the network thread, before it counts as handled. One of
            a sealed device comes again if the process dies between; it must be stored once.
        count: after so many fresh readings no more is taken.
        gaps: follows the counters.
        events: gets a `Received`, `Notice` or `Failure` for whatever happens.
    """

    def __init__(
        self,
        client: mqtt.Client,
        keyring: Keyring,
        store: Store,
        filters: Sequence[str],
        *,
        authority: bool,
        keep: Callable[[Received], None] | None,
        count: int | None,
        gaps: Gaps,
        events: "SimpleQueue[Any]",
    ) -> None:
        self._client = client
        self._store = store
        self._given = filters
        self._authority = authority
        self._keep = keep
        self._left = count
        self._events = events
        self._gaps = gaps
        self._latest = b""
        self._missing = 0
        self._attach(keyring)

    @property
    def filters(self) -> tuple[str, ...]:
        """Where readings are read."""
        return reading_filters(self._observed.as_receiver(), self._given)

    @property
    def refused(self) -> tuple[str, ...]:
        """The topics that the broker does not let us use."""
        return self._attachment.refused

    @property
    def silent(self) -> tuple[str, ...]:
        """The topics that it probably does not let us use, without a word."""
        return self._observed.silent(_ECHO) if self._client.is_connected() else ()

    def renew(self, keyring: Keyring) -> None:
        """Takes a keyring that was changed into use."""
        self._attachment.detach()
        self._attach(keyring)

    def close(self) -> None:
        """Takes nothing more, from any thread; what comes later stays with the broker."""
        # In this order: while connected, to detach is to unsubscribe.
        self._client.disconnect()
        self._attachment.detach()

    def _attach(self, keyring: Keyring) -> None:
        receiver = Receiver(
            keyring,
            self._store,
            authority=self._authority,
            delivery="at_most_once" if self._keep is None else "at_least_once",
        )
        self._observed = Observed(receiver, self._opened)
        self._attachment = espseal.paho.attach(
            self._client,
            self._observed.as_receiver(),
            self._given,
            on_message=self._fresh,
            on_rejected=lambda message: self._events.put(self._received(message)),
        )

    def _opened(self, message: Message, payload: bytes) -> None:
        self._latest, self._missing = payload, self._gaps.note(message)

    def _received(self, message: Message) -> Received:
        return Received(message, self._latest, self._missing)

    def _fresh(self, message: Message) -> None:
        received = self._received(message)
        if self._left is not None:
            if self._left == 0:
                return
            self._left -= 1
        failure = None
        if self._keep is not None:
            try:
                self._keep(received)
                message.done()
            except Exception as error:  # noqa: BLE001 (the adapter would only log it)
                failure = error
        self._events.put(received)
        if failure is not None:
            self._events.put(Failure(failure))
        if failure is not None or self._left == 0:
            self.close()


class AdapterLog(logging.Handler):
    """Turns what the adapter logs into events; a context manager."""

    def __init__(self, events: "SimpleQueue[Any]") -> None:
        super().__init__(logging.WARNING)
        self._events = events

    def emit(self, record: logging.LogRecord) -> None:
        """Puts an event."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, Exception):
            self._events.put(Failure(error))
        else:
            text = record.getMessage()
            match record.args:
                case ("read and write", str(denied), _):
                    topic: str | None = denied
                case _:
                    topic = None
            self._events.put(Notice(f"{text[:1].upper()}{text[1:]}.", topic))

    def __enter__(self) -> None:
        self._propagated = _LOGGER.propagate
        _LOGGER.propagate = False
        _LOGGER.addHandler(self)

    def __exit__(self, *error: object) -> None:
        _LOGGER.removeHandler(self)
        _LOGGER.propagate = self._propagated
