"""Readings in the callback of a `paho.mqtt.client.Client` (paho-mqtt 2), and commands.

```python
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
sender = espseal.Sender(keyring, store)
attachment = espseal.paho.attach(client, receiver, on_message=print, sender=sender)
client.connect("localhost")
client.loop_start()
attachment.sender.send("lamp", "on", timeout=10)
```
"""

import logging
import threading
import weakref
from collections.abc import Callable, Iterable
from math import inf
from typing import Self, cast, final

try:
    import paho.mqtt.client as mqtt
    from paho.mqtt.enums import CallbackAPIVersion
    from paho.mqtt.reasoncodes import ReasonCode
except ImportError as error:
    raise ImportError("espseal.paho needs paho-mqtt 2: pip install 'espseal[paho]'") from error

import espseal
from espseal import Message, Receiver, _paho_client
from espseal._adapter import Adapter, callback_filter, reading_filters
from espseal._paho_sender import Sender

__all__ = ["Attachment", "Sender", "attach"]


def attach(
    client: mqtt.Client,
    receiver: Receiver,
    topic: str | Iterable[str] | None = None,
    *,
    on_message: Callable[[Message], object],
    on_rejected: Callable[[Message], object] | None = None,
    sender: espseal.Sender | None = None,
    qos: int = 1,
) -> "Attachment":
    """Opens every frame that a client receives from the keyring's devices, and serves these.

    Subscribes at every connection (within a second if there is one already), publishes and
    renews the receiver's session IDs and beacons, welcomes sealed devices, and asks those for
    a hello that need one, all from the client's own network loop, be it
    ``loop_start``, ``loop_forever`` or another that calls ``loop_misc``. Callbacks set on the
    client, before or after, are called as though nothing were attached: ``client.on_message``
    gets what is subscribed here too.

    Arguments:
        client: of paho-mqtt 2, made with ``CallbackAPIVersion.VERSION2``; MQTT 3.1.1 or 5,
            connected or not. With ``manual_ack`` the messages taken here are acknowledged here.
        receiver: opens the frames; give each client its own.
        topic: one topic filter or several, ``$share/group/filter`` too; None is all that the
            keyring names. Leave out the topics of commands: a command is no reading, and would
            come back as ``forged``.
        on_message: called on the network thread with each fresh `Message`.
        on_rejected: called with every other `Message`.
        sender: seals what `Attachment.sender` sends. The topics where its nodes show their
            sessions are subscribed too, those of a group with one wildcard.
        qos: of the subscriptions to ``topic``, 0 to 2.

    Returns:
        The attachment. It lasts as long as the client; `Attachment.detach` ends it.

    Raises:
        TypeError: ``client`` is no paho client, or a topic filter no ``str``.
        ValueError: another callback API version, no valid topic filter, no such ``qos``; or the
            receiver's ``at_least_once`` with a client that acknowledges by itself.
    """
    if not isinstance(client, mqtt.Client):
        raise TypeError(f"client is a {type(client).__name__}: give a paho.mqtt.client.Client")
    if client.callback_api_version != CallbackAPIVersion.VERSION2:
        raise ValueError(
            "the client uses paho's old callback API: "
            "make it with mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)"
        )
    if not _paho_client.can_attach(client):
        raise ValueError("this paho-mqtt is too new: pip install -U 'espseal[paho]'")
    if qos not in (0, 1, 2):
        raise ValueError(f"qos is 0, 1 or 2, not {qos!r}")
    if receiver.delivery == "at_least_once" and not (qos and client.__dict__.get("_manual_ack")):
        raise ValueError(
            "with at_least_once a message is acknowledged when it is done: make the client with "
            "manual_ack=True, and subscribe with qos=1 or 2"
        )
    logger, filters = logging.getLogger(__name__), reading_filters(receiver, topic)
    adapter = Adapter(logger, receiver, sender, filters, on_message, on_rejected, qos)
    attachment = Attachment(client, adapter, Sender(client, sender) if sender else None)
    _paho_client.attach(client, attachment)
    return attachment


@final
class Attachment:
    """What `attach` returns; a context manager that detaches at its end."""

    def __init__(self, client: mqtt.Client, adapter: Adapter, sender: Sender | None) -> None:
        # Weak, or a forgotten client would keep its socket until the cycle is collected.
        self._client = weakref.ref(client)
        self._adapter = adapter
        self._sender = sender
        if sender:
            adapter.on_acknowledged = sender._acknowledged
        self._owns, self._reads = adapter.owns, adapter.reads
        self._lock = threading.RLock()
        self._detached = False
        self._socket: object = None
        self._asked: dict[int, tuple[str, list[str]]] = {}

    @property
    def sender(self) -> Sender:
        """Sends commands. Raises `ValueError` if `attach` was given no sender."""
        if self._sender is None:
            raise ValueError("to send, attach with sender=espseal.Sender(keyring, store)")
        return self._sender

    @property
    def callback_errors(self) -> int:
        """How many exceptions ``on_message`` and ``on_rejected`` raised.

        Each was logged with its traceback by the logger ``espseal.paho``.
        """
        return self._adapter.callback_errors

    @property
    def store_errors(self) -> int:
        """How often the store failed, and was logged; the frame concerned was not accepted."""
        return self._adapter.store_errors

    @property
    def refused(self) -> tuple[str, ...]:
        """The topics that the broker does not let this client read or write, if any."""
        return self._adapter.refused

    def detach(self) -> None:
        """Ends the attachment, from any thread; a callback that is running may still finish.

        Unsubscribes, except from what another attachment or a callback of yours on the same
        filter needs. Session IDs already published stay until they expire; commands that wait
        are cancelled. May be repeated.
        """
        with self._lock:
            client = self._client()
            if self._detached or client is None:
                return
            self._detached = True
        rest = _paho_client.detach(client, self)
        others = [each for each in rest if isinstance(each, Attachment)]
        kept = {topic for each in others for topic, _ in each._adapter.subscriptions}
        for topic, _ in self._adapter.subscriptions:
            needed = topic in kept or _paho_client.has_callback(client, callback_filter(topic))
            if not needed and client.is_connected():
                client.unsubscribe(topic)
        if self._sender:
            self._sender._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.detach()

    def _due(self) -> float:
        return min(self._adapter.due(), self._sender._due() if self._sender else inf)

    def _serve(self, client: mqtt.Client) -> None:
        with self._lock:
            socket = client.socket()
            if self._detached or socket is None or not client.is_connected():
                return
            if socket is not self._socket:
                self._socket = socket
                self._asked.clear()
                _, mid = client.subscribe(list(self._adapter.subscriptions))
                if mid is not None:
                    self._asked[mid] = "read", [each for each, _ in self._adapter.subscriptions]
                self._adapter.connected()
                if self._sender:
                    self._sender._connected()
            for mid, qos in cast("list[tuple[int, int]]", self._adapter.done()):
                client.ack(mid, qos)
            for each in self._adapter.publications():
                sent = client.publish(each.topic, each.payload, each.qos, each.retain)
                self._asked[sent.mid] = "write", [each.topic]
        if self._sender:
            self._sender._serve(client)

    def _take(self, client: mqtt.Client, message: mqtt.MQTTMessage) -> bool:
        topic, payload = message.topic, bytes(message.payload)
        token = message.mid, message.qos
        handled = self._adapter.take(topic, payload, retained=message.retain, token=token)
        if self._owns(topic) or self._adapter.due() <= 0:
            self._serve(client)
        return handled

    def _answered(self, mid: int, codes: list[ReasonCode]) -> None:
        verb, topics = self._asked.pop(mid, ("", []))
        self._adapter.answered(verb, topics, codes)
        if self._sender:
            self._sender._answered(mid, codes, self._adapter)
