"""Readings in the callback of a `paho.mqtt.client.Client` (paho-mqtt 2).

```python
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
espseal.paho.attach(client, receiver, "sensors/+", on_message=print)
client.connect("localhost")
client.loop_forever()
```
"""

import logging
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from math import inf
from time import monotonic
from typing import Any, Self, final

try:
    import paho.mqtt.client as mqtt
    from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
    from paho.mqtt.matcher import MQTTMatcher
    from paho.mqtt.reasoncodes import ReasonCode
except ImportError as error:
    raise ImportError("espseal.paho needs paho-mqtt 2: pip install 'espseal[paho]'") from error

from espseal import Message, Receiver, Verdict
from espseal._adapter import callback_filter, topic_filters, topic_pattern

__all__ = ["Attachment", "attach"]

_logger = logging.getLogger(__name__)
_attaching = threading.Lock()

# In seconds: how long a session ID may take to come back from its topic, the pause after the
# store failed to mint one, and the shortest wait of the network loop for one that is due.
_ECHO = 20.0
_PAUSE = 10.0
_TICK = 0.02


def attach(
    client: mqtt.Client,
    receiver: Receiver,
    topic: str | Iterable[str],
    *,
    on_message: Callable[[Message], object],
    on_rejected: Callable[[Message], object] | None = None,
    qos: int = 1,
) -> "Attachment":
    """Opens every frame that a client receives on a topic filter, and serves its session IDs.

    Subscribes at every connection (within a second if there is one already), and publishes
    and renews the receiver's session IDs from the client's own network loop, be it
    ``loop_start``, ``loop_forever`` or another that calls ``loop_misc``. Callbacks set on the
    client, before or after, are called as though nothing were attached: ``client.on_message``
    gets what is subscribed here too.

    Arguments:
        client: of paho-mqtt 2, made with ``CallbackAPIVersion.VERSION2``; MQTT 3.1.1 or 5,
            connected or not. With ``manual_ack`` the messages taken here are acknowledged here.
        receiver: opens the frames; give each client its own.
        topic: one topic filter or several, ``$share/group/filter`` too.
        on_message: called on the network thread with each fresh `Message`.
        on_rejected: called with every other `Message`.
        qos: of the subscriptions to ``topic``, 0 to 2.

    Returns:
        The attachment. It lasts as long as the client; `Attachment.detach` ends it.

    Raises:
        TypeError: ``client`` is no paho client, or a topic filter no ``str``.
        ValueError: another callback API version, no valid topic filter, or no such ``qos``.
    """
    if not isinstance(client, mqtt.Client):
        raise TypeError(f"client is a {type(client).__name__}: give a paho.mqtt.client.Client")
    if client.callback_api_version != CallbackAPIVersion.VERSION2:
        raise ValueError(
            "the client uses paho's old callback API: "
            "make it with mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)"
        )
    if "_on_message_filtered" not in vars(client):
        raise ValueError("this paho-mqtt is too new: pip install -U 'espseal[paho]'")
    if qos not in (0, 1, 2):
        raise ValueError(f"qos is 0, 1 or 2, not {qos!r}")
    attachment = Attachment(client, receiver, topic_filters(topic), on_message, on_rejected, qos)
    with _attaching:
        client.__dict__["_espseal"] = (*_attachments(client), attachment)
        if not isinstance(client, _Attached):
            client.__class__ = _attached(type(client))
    return attachment


@final
class Attachment:
    """What `attach` returns; a context manager that detaches at its end.

    ``callback_errors``: how many exceptions ``on_message`` and ``on_rejected`` raised.
    ``store_errors``: how often the store failed; the frame concerned was not accepted.
    Each was logged with its traceback by the logger ``espseal.paho``.
    """

    def __init__(
        self,
        client: mqtt.Client,
        receiver: Receiver,
        filters: tuple[str, ...],
        on_message: Callable[[Message], object],
        on_rejected: Callable[[Message], object] | None,
        qos: int,
    ) -> None:
        self.callback_errors = 0
        self.store_errors = 0
        # Weak, or a forgotten client would keep its socket until the cycle is collected.
        self._client = weakref.ref(client)
        self._receiver = receiver
        self._on_message = on_message
        self._on_rejected = on_rejected
        self._session_topics = frozenset(receiver.subscriptions)
        self._pattern = topic_pattern(filters)
        # Two subscriptions that overlap bring a message twice. (Of what matches a shared one,
        # others get their part.) QoS 0: a session ID that waited in a queue is worth nothing.
        own = topic_pattern(each for each in filters if not each.startswith("$share/"))
        apart = sorted(each for each in self._session_topics if not own.fullmatch(each))
        self._subscriptions = [*((each, qos) for each in filters), *((each, 0) for each in apart)]
        self._lock = threading.RLock()
        self._detached = False
        self._socket: object = None
        self._paused_until = 0.0
        self._asked: dict[int, tuple[str, list[str]]] = {}
        self._unheard: dict[str, tuple[bytes, float]] = {}
        self._refused: dict[tuple[str, str], None] = {}

    @property
    def refused(self) -> tuple[str, ...]:
        """The topics that the broker does not let this client read or write, if any."""
        return tuple(dict.fromkeys(topic for _, topic in tuple(self._refused)))

    def detach(self) -> None:
        """Ends the attachment, from any thread; a callback that is running may still finish.

        Unsubscribes, except from what another attachment or a callback of yours on the same
        filter needs. Session IDs already published stay until they expire. May be repeated.
        """
        with self._lock:
            client = self._client()
            if self._detached or client is None:
                return
            self._detached = True
        with _attaching:
            rest = tuple(each for each in _attachments(client) if each is not self)
            client.__dict__["_espseal"] = rest
            base = vars(type(client)).get("_espseal_base")
            if base is not None and not rest:
                client.__class__ = base
                del client.__dict__["_espseal"]
        kept = {each for other in rest for each, _ in other._subscriptions}
        for each, _ in self._subscriptions:
            try:
                client.__dict__["_on_message_filtered"][callback_filter(each)]
            except KeyError:
                if each not in kept and client.is_connected():
                    client.unsubscribe(each)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.detach()

    def _due(self) -> float:
        """Seconds until there is something to publish."""
        due = self._receiver.next_due()
        return inf if due is None else max(due, self._paused_until - monotonic())

    def _serve(self, client: mqtt.Client) -> None:
        """Subscribes after each connection, and publishes what is due. On the network thread."""
        with self._lock:
            socket = client.socket()
            if self._detached or socket is None or not client.is_connected():
                return
            if socket is not self._socket:
                self._socket = socket
                self._asked.clear()
                self._unheard.clear()
                _, mid = client.subscribe(list(self._subscriptions))
                if mid is not None:
                    self._asked[mid] = "read", [each for each, _ in self._subscriptions]
                self._receiver.reconnected()
                if self._receiver.trouble:
                    _logger.warning("no session IDs are taken: %s", self._receiver.trouble)
            self._publish(client)

    def _publish(self, client: mqtt.Client) -> None:
        # Offline nothing is minted or queued: it would be stale at the reconnection.
        if self._due() > 0:
            return
        try:
            for each in self._receiver.publications():
                sent = client.publish(each.topic, each.payload, each.qos, each.retain)
                if each.qos > 0:
                    self._asked[sent.mid] = "write", [each.topic]
                self._await_echo(each.topic, each.payload)
        except Exception:
            self._paused_until = monotonic() + _PAUSE
            _logger.exception("no session IDs could be minted; next attempt in %g s", _PAUSE)
            self.store_errors += 1

    def _await_echo(self, topic: str, payload: bytes) -> None:
        # A broker refuses a publication silently under MQTT 3.1.1, and Mosquitto's ACL file a
        # subscription under both versions: what tells is that our own IDs do not come back.
        now = monotonic()
        since = self._unheard.get(topic, (b"", now))[1]
        self._unheard[topic] = payload, since
        if now - since > _ECHO and topic not in self.refused:
            self._refuse("read and write", topic, f"nothing came back in {_ECHO:g} s")

    def _take(self, client: mqtt.Client, message: mqtt.MQTTMessage) -> bool:
        """Never raises, or paho's thread would end; False if the message stays unhandled."""
        topic, payload = message.topic, bytes(message.payload)
        try:
            if topic in self._session_topics:
                if payload == self._unheard.get(topic, (None,))[0]:
                    del self._unheard[topic]
                    self._refused.pop(("read and write", topic), None)
                self._receiver.hear(payload, topic=topic)
                with self._lock:
                    self._publish(client)
                return True
            opened = self._receiver.open(payload, topic=topic, retained=message.retain)
        except Exception:
            _logger.exception("a message on %s could not be judged", topic)
            self.store_errors += 1
            return False
        callback = self._on_message if opened.verdict == Verdict.FRESH else self._on_rejected
        try:
            if callback is not None:
                callback(opened)
        except Exception:
            _logger.exception("the callback failed for a %s message on %s", opened.verdict, topic)
            self.callback_errors += 1
        # Handled even if the callback failed: delivered again it would be a duplicate.
        return True

    def _answered(self, mid: int, codes: list[ReasonCode]) -> None:
        verb, topics = self._asked.pop(mid, ("", []))
        for topic, code in zip(topics, codes, strict=False):
            if code.is_failure:
                self._refuse(verb, topic, str(code))
            else:
                self._refused.pop((verb, topic), None)

    def _refuse(self, verb: str, topic: str, why: str) -> None:
        if (verb, topic) not in self._refused:
            self._refused[verb, topic] = None
            _logger.error(
                "the broker does not let this client %s %s (%s): allow it in the broker's ACL",
                *(verb, topic, why),
            )


class _Slot:
    """A callback slot that holds the user's; paho alone, which reads it to call, gets both."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, client: mqtt.Client | None, owner: type) -> object:
        if client is None:
            return self
        # A class of the user's may have a method where paho has a property.
        theirs = client.__dict__.get(self._name) or getattr(super(_Attached, client), self._name)
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
        inner = getattr(super(_Attached, type(client)), self._name)
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
        # A session ID is for those whose session topic it is, whoever reads that topic besides.
        takers = [each for each in attachments if topic in each._session_topics] or [
            each for each in attachments if each._pattern.fullmatch(topic)
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


# Paho has one slot for each callback and one callback for each filter, and the user's are in
# them, or will be. So the attachments are not put there: the client gets a subclass of its own
# class, which overrides what paho itself looks up on the client each time, and leaves what the
# user stores where it is. To detach is to give the client its class back.
#
# Subscribing and renewing hang on the public `loop_misc`, which every kind of loop calls after
# each packet and at least once a second, and not on `on_connect` and a thread. Paho writes
# without a lock: a thread's `publish` would write into the socket beside `loop_forever`, which
# OpenSSL forbids. And after `on_connect` it sends again what was in flight, older session IDs
# among it, which would then be the retained ones.
class _Attached(mqtt.Client):
    __slots__ = ()

    def loop_misc(self) -> MQTTErrorCode:
        result = super().loop_misc()
        for each in _attachments(self):
            each._serve(self)
        return result

    # Private to paho; if it is gone some day, what is due is published up to a second late.
    def _loop(self, timeout: float = 1.0) -> MQTTErrorCode:
        if self.is_connected():
            due = min((each._due() for each in _attachments(self)), default=inf)
            timeout = min(timeout, max(due, _TICK))
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


def _attached(base: type[mqtt.Client]) -> type[_Attached]:
    members = {"__slots__": (), "__module__": base.__module__, "_espseal_base": base}
    return type(base.__name__, (_Attached, base), members)


def _attachments(client: mqtt.Client) -> tuple[Attachment, ...]:
    attachments: tuple[Attachment, ...] = client.__dict__.get("_espseal", ())
    return attachments
