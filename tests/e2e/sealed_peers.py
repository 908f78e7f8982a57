"""A receiver and a sealed device, each with an MQTT client of its own."""

import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Protocol, Self

import paho.mqtt.client as mqtt

import espseal
from broker import Mosquitto
from support import listen, new_client, stop


class _Speaker(Protocol):
    def reconnected(self) -> None: ...
    def publications(self) -> Iterable[espseal.Publication]: ...


class Peer:
    """Publishes what its end wants to say, and hands it what arrives; a context manager."""

    def __init__(
        self,
        broker: Mosquitto,
        speaker: _Speaker,
        topics: list[str],
        take: Callable[[str, bytes], object],
    ) -> None:
        self._broker = broker
        self._speaker = speaker
        self._topics = topics
        self._take = take
        self._ended = threading.Event()
        self.client = new_client()
        self.client.on_connect = self._connected
        self.client.on_message = self._arrived
        self._thread = threading.Thread(target=self._run)

    def _connected(self, *_: object) -> None:
        self.client.subscribe([(topic, 1) for topic in self._topics])
        self._speaker.reconnected()

    def _arrived(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        self._take(message.topic, bytes(message.payload))

    def _run(self) -> None:
        while not self._ended.wait(0.02):
            if self.client.is_connected():
                for each in self._speaker.publications():
                    self.client.publish(each.topic, each.payload, each.qos, each.retain)

    def __enter__(self) -> Self:
        self.client.connect(self._broker.host, self._broker.port)
        listen(self.client)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        stop(self.client)


def host(broker: Mosquitto, receiver: espseal.Receiver) -> Peer:
    """A receiver at the broker."""

    def take(topic: str, payload: bytes) -> None:
        if not receiver.hear(payload, topic=topic):
            receiver.open(payload, topic=topic)

    return Peer(broker, receiver, [*receiver.reading_filters, *receiver.subscriptions], take)


def device(broker: Mosquitto, end: espseal.Device) -> Peer:
    """A sealed device at the broker."""

    def take(topic: str, payload: bytes) -> None:
        if topic == end.beacon_topic:
            end.hear(payload)
        else:
            end.open(payload)

    return Peer(broker, end, end.subscriptions, take)
