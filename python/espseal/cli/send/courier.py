"""One command over a Paho client: hears what the device says, publishes, hears the broker."""

from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.reasoncodes import ReasonCode

from espseal import Publication, Sender
from espseal._adapter import fewest_filters


@dataclass(frozen=True)
class Heard:
    """A node has shown a session."""


@dataclass(frozen=True)
class Acknowledged:
    """A sealed device has a command.

    Arguments:
        tag: of its frame.
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
    """The broker has answered.

    Arguments:
        problem: what it does not let us do, if it does not.
        unheard: whether nobody is subscribed, as far as it says so.
    """

    problem: str | None = None
    unheard: bool = False


class Courier:
    """Sends a command.

    Arguments:
        client: not yet connected.
        sender: seals it.
        events: gets `Heard`, `Acknowledged`, `Told` and `Answered`.
        device: whom it is for.
        answers: the topic on which a sealed device acknowledges.
    """

    def __init__(
        self,
        client: mqtt.Client,
        sender: Sender,
        events: "SimpleQueue[Any]",
        device: str,
        answers: str | None = None,
    ) -> None:
        self._client = client
        self._sender = sender
        self._events = events
        self._topic = ""
        self._device = device
        self._answers = answers
        self._filters = sorted({*fewest_filters(sender.subscriptions), *filter(None, [answers])})
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish

    def connected(self) -> None:
        """Subscribes: the nodes' sessions are retained, so those that there are come at once."""
        if self._filters:
            self._client.subscribe([(each, 1) for each in self._filters])

    def send(self, publication: Publication) -> None:
        """Publishes; `Answered` says what became of it."""
        self._topic = publication.topic
        self._client.publish(
            publication.topic, publication.payload, publication.qos, publication.retain
        )

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
            self._events.put(Answered(f"read {', '.join(refused)}"))

    def _on_publish(
        self, _client: mqtt.Client, _data: object, _mid: int, code: ReasonCode, _more: object
    ) -> None:
        if code.is_failure:
            self._events.put(Answered(f"write {self._topic}"))
        else:
            unheard = str(code) == "No matching subscribers"
            self._events.put(Answered(unheard=unheard))
