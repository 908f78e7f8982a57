"""What goes to one device and comes from it, over a Paho client that is not ours alone."""

from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.reasoncodes import ReasonCode

from espseal import DeviceEntry, Provision, Publication, Sender
from espseal._adapter import fewest_filters


@dataclass(frozen=True)
class Heard:
    """A node has shown a session."""


@dataclass(frozen=True)
class Acknowledged:
    """A sealed device has a frame.

    Arguments:
        tag: of the frame.
    """

    tag: str


@dataclass(frozen=True)
class Told:
    """A sealed device has answered what mode it is in.

    Arguments:
        mode: 0 to 255.
    """

    mode: int


@dataclass(frozen=True)
class Answered:
    """The broker has answered to a publication.

    Arguments:
        mid: which one.
        denied: whether it does not let us publish there.
        unheard: whether nobody is subscribed, as far as it says so.
    """

    mid: int
    denied: bool
    unheard: bool


@dataclass(frozen=True)
class Unreadable:
    """The broker does not let us subscribe.

    Arguments:
        topics: to these.
    """

    topics: tuple[str, ...]


class Mail:
    """Publishes for one device, and hears it.

    Arguments:
        client: not yet connected.
        sender: understands what the device says.
        events: gets `Heard`, `Acknowledged`, `Told`, `Answered` and `Unreadable`.
        device: which one.
        ends: where a sealed device hears and answers, None for a classic one.
    """

    def __init__(
        self,
        client: mqtt.Client,
        sender: Sender,
        events: "SimpleQueue[Any]",
        device: DeviceEntry,
        ends: Provision | None,
    ) -> None:
        self._client = client
        self._sender = sender
        self._events = events
        self._device = device.name
        self._answers = ends and ends.up_topic
        # One that migrates may answer in either format.
        shown = [] if device.group is None else fewest_filters(sender.subscriptions)
        self._filters = sorted({*shown, *filter(None, [self._answers])})
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish

    def connected(self) -> None:
        """Subscribes: the nodes' sessions are retained, so those that there are come at once."""
        if self._filters:
            self._client.subscribe([(each, 1) for each in self._filters])

    def send(self, publication: Publication) -> int:
        """Publishes; the ``mid`` of the `Answered` that says what became of it."""
        sent = self._client.publish(
            publication.topic, publication.payload, publication.qos, publication.retain
        )
        return sent.mid

    def ask(self, topic: str) -> int:
        """Asks a sealed device for a hello: with an empty message, which needs no key."""
        return self._client.publish(topic, b"", 1).mid

    def _on_message(self, client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        payload = bytes(message.payload)
        if message.topic == self._answers:
            tag = self._sender.acknowledges(payload)
            mode = self._sender.tells_mode(self._device, payload)
            if tag is not None:
                self._events.put(Acknowledged(tag))
            elif mode is not None:
                self._events.put(Told(mode))
        elif self._sender.hear(payload, topic=message.topic):
            self._events.put(Heard())
        client.ack(message.mid, message.qos)

    def _on_subscribe(
        self, _client: mqtt.Client, _data: object, _mid: int, codes: list[ReasonCode], _more: object
    ) -> None:
        refused = [f for f, c in zip(self._filters, codes, strict=False) if c.is_failure]
        if refused:
            self._events.put(Unreadable(tuple(refused)))

    def _on_publish(
        self, _client: mqtt.Client, _data: object, mid: int, code: ReasonCode, _more: object
    ) -> None:
        unheard = str(code) == "No matching subscribers"
        self._events.put(Answered(mid, denied=code.is_failure, unheard=unheard))
