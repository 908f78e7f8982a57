"""Puts attachments between a `paho.mqtt.client.Client` and what its user stores in it.

Paho has one slot for each callback and one callback for each filter, and the user's are in
them, or will be. So the attachments are not put there: the client gets a subclass of its own
class, which overrides what paho itself looks up on the client each time, and leaves what the
user stores where it is. To detach is to give the client its class back.
"""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from math import inf
from typing import Any, Protocol

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.matcher import MQTTMatcher
from paho.mqtt.reasoncodes import ReasonCode

from espseal._adapter import TICK

__all__ = ["Attached", "attach", "can_attach", "detach", "has_callback", "wake"]

_attaching = threading.Lock()


class Attached(Protocol):
    """What sits between. All of it is called on the thread of the client's network loop."""

    def _due(self) -> float:
        """Seconds until there is something to send."""

    def _serve(self, client: mqtt.Client) -> None:
        """After each packet, and at least once a second."""

    def _owns(self, topic: str) -> bool:
        """Whether a message on this topic is for this one and not for others that read it."""

    def _reads(self, topic: str) -> bool:
        """Whether a message on this topic is for this one."""

    def _take(self, client: mqtt.Client, message: mqtt.MQTTMessage) -> bool:
        """Never raises, or paho's thread would end; False if the message stays unhandled."""

    def _answered(self, mid: int, codes: list[ReasonCode]) -> None:
        """The broker's answer to a subscription or a publication, whoever's it was."""


def can_attach(client: mqtt.Client) -> bool:
    """Whether this version of paho has what is overridden here."""
    return "_on_message_filtered" in vars(client)


def attach(client: mqtt.Client, attachment: Attached) -> None:
    """Adds one, from any thread."""
    with _attaching:
        client.__dict__["_espseal"] = (*_attachments(client), attachment)
        if not isinstance(client, _AttachedClient):
            client.__class__ = _subclass(type(client))


def detach(client: mqtt.Client, attachment: Attached) -> tuple[Attached, ...]:
    """Removes one, from any thread; returns those that remain."""
    with _attaching:
        rest = tuple(each for each in _attachments(client) if each is not attachment)
        client.__dict__["_espseal"] = rest
        base = vars(type(client)).get("_espseal_base")
        if base is not None and not rest:
            client.__class__ = base
            del client.__dict__["_espseal"]
        return rest


def has_callback(client: mqtt.Client, topic_filter: str) -> bool:
    """Whether the user has a callback on this very filter."""
    try:
        client.__dict__["_on_message_filtered"][topic_filter]
    except KeyError:
        return False
    return True


def wake(client: mqtt.Client) -> None:
    """Ends the wait of the client's network loop, from any thread, so that it serves at once.

    An event loop of the user's that calls ``loop_misc`` itself is not woken.
    """
    # Private to paho; if it is gone some day, what is due is sent up to a second late.
    waker: socket.socket | None = client.__dict__.get("_sockpairW")
    if waker is not None:
        with suppress(OSError):
            waker.send(b"0")


class _Slot:
    """A callback slot that holds the user's; paho alone, which reads it to call, gets both."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, client: mqtt.Client | None, owner: type) -> object:
        if client is None:
            return self
        # A class of the user's may have a method where paho has a property.
        inherited = super(_AttachedClient, client)
        theirs = client.__dict__.get(self._name) or getattr(inherited, self._name)
        if sys._getframe(1).f_globals.get("__name__") != mqtt.__name__:
            return theirs

        def both(
            client: mqtt.Client,
            userdata: object,
            mid: int,
            codes: ReasonCode | list[ReasonCode],
            properties: object,
        ) -> None:
            for each in _attachments(client):
                each._answered(mid, codes if isinstance(codes, list) else [codes])
            if theirs:
                theirs(client, userdata, mid, codes, properties)

        return both

    def __set__(self, client: mqtt.Client, callback: object) -> None:
        inner = getattr(super(_AttachedClient, type(client)), self._name)
        if isinstance(inner, property):
            inner.__set__(client, callback)
        else:
            client.__dict__[self._name] = callback


class _Matcher(MQTTMatcher):
    """The client's own matcher; a message for an attachment is one more match, the first."""

    def __init__(self, client: mqtt.Client) -> None:
        self._client = client
        self._theirs: Any = client.__dict__["_on_message_filtered"]

    def __setitem__(self, topic: str, callback: mqtt.CallbackOnMessage) -> None:
        self._theirs[topic] = callback

    def __delitem__(self, topic: str) -> None:
        del self._theirs[topic]

    def iter_match(self, topic: str) -> Iterator[mqtt.CallbackOnMessage]:
        attachments = _attachments(self._client)
        takers = [each for each in attachments if each._owns(topic)] or [
            each for each in attachments if each._reads(topic)
        ]
        theirs = list(self._theirs.iter_match(topic))
        if not takers:
            return iter(theirs)
        # Paho calls `on_message` only where no filter matches: where none of theirs does.
        on_message = self._client.on_message
        if not theirs and on_message is not None:
            theirs = [lambda *arguments: on_message(*arguments)]

        def take(client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
            # Where the store failed, `manual_ack` leaves a QoS 1 message with the broker, which
            # delivers it again at the next connection (at QoS 2 paho has taken it over already).
            # Without `manual_ack` paho acknowledges whatever returns; the way out would be to
            # drop the connection, which on a full disk would never end.
            handled = [each._take(client, message) for each in takers]
            if all(handled) or message.qos == 2:
                client.ack(message.mid, message.qos)

        return iter([take, *theirs])


# Whatever is sent hangs on the public `loop_misc`, which every kind of loop calls after each
# packet and at least once a second, and not on `on_connect` and a thread. Paho writes without
# a lock: a thread's `publish` would write into the socket beside `loop_forever`, which OpenSSL
# forbids. And after `on_connect` it sends again what was in flight, older session IDs among
# it, which would then be the retained ones.
class _AttachedClient(mqtt.Client):
    __slots__ = ()

    def loop_misc(self) -> MQTTErrorCode:
        result = super().loop_misc()
        for each in _attachments(self):
            each._serve(self)
        return result

    # Private to paho; if it is gone some day, what is due is sent up to a second late.
    def _loop(self, timeout: float = 1.0) -> MQTTErrorCode:
        if self.is_connected():
            due = min((each._due() for each in _attachments(self)), default=inf)
            timeout = min(timeout, max(due, TICK))
        if self.__dict__.get("_sockpairR", self) is None:
            # `loop_start` and `loop` have a pair to be woken by, `loop_forever` has none.
            self._sockpairR, self._sockpairW = socket.socketpair()
            self._sockpairR.setblocking(False)
            self._sockpairW.setblocking(False)
        return super()._loop(timeout)

    # Private too: here paho finds the callbacks of a message, and stores the user's.
    @property
    def _on_message_filtered(self) -> MQTTMatcher:
        return _Matcher(self)

    @_on_message_filtered.setter
    def _on_message_filtered(self, matcher: MQTTMatcher) -> None:
        self.__dict__["_on_message_filtered"] = matcher

    on_subscribe: Any = _Slot()
    on_publish: Any = _Slot()


def _subclass(base: type[mqtt.Client]) -> type[_AttachedClient]:
    members = {"__slots__": (), "__module__": base.__module__, "_espseal_base": base}
    return type(base.__name__, (_AttachedClient, base), members)


def _attachments(client: mqtt.Client) -> tuple[Attached, ...]:
    attachments: tuple[Attached, ...] = client.__dict__.get("_espseal", ())
    return attachments
