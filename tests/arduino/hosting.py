"""A host on a broker: a receiver and a sender of the Python package, and what they publish."""

import threading
from pathlib import Path
from typing import Self

import paho.mqtt.client as mqtt

import espseal
from broker import Mosquitto
from support import listen, new_client, stop


class Host:
    """Opens what comes, publishes what is due; a context manager.

    Arguments:
        broker: where it listens.
        keyring: whom it believes.
        folder: of its store, which outlives it.
    """

    def __init__(self, broker: Mosquitto, keyring: espseal.Keyring, folder: Path) -> None:
        store = espseal.Store.sqlite(folder / "state.sqlite3")
        self.receiver = espseal.Receiver(keyring, store)
        self.sender = espseal.Sender(keyring, store)
        self.messages: list[espseal.Message] = []
        self.frames: list[tuple[str, bytes]] = []
        self._broker = broker
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._client = new_client()
        self._client.on_connect = self._connected
        self._client.on_message = self._take
        self._thread = threading.Thread(target=self._tick)

    @property
    def fresh(self) -> list[espseal.Message]:
        """What was accepted as a reading."""
        return [m for m in tuple(self.messages) if m.data is not None]

    @property
    def readings(self) -> list[str]:
        """The same as text."""
        return [message.text or "" for message in self.fresh]

    def verdicts(self) -> set[str]:
        """All that were given."""
        return {message.verdict.value for message in tuple(self.messages)}

    def publish(self, each: espseal.Publication) -> espseal.Publication:
        """Sends what the sender or the receiver made."""
        self._client.publish(each.topic, each.payload, each.qos, each.retain).wait_for_publish(60)
        return each

    def say(self, topic: str, payload: bytes) -> None:
        """Sends something else: what an attacker might."""
        self._client.publish(topic, payload, 1).wait_for_publish(60)

    def acknowledged(self, tag: str | None) -> bool:
        """Whether a device acknowledged a frame of this host."""
        return any(message.acknowledged == tag for message in tuple(self.messages))

    def _connected(self, *_: object) -> None:
        with self._lock:
            self.receiver.reconnected()
        filters = {*self.receiver.subscriptions, *self.receiver.reading_filters}
        filters |= set(self.sender.subscriptions)
        self._client.subscribe([(each, 1) for each in sorted(filters)])

    def _take(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        payload = bytes(message.payload)
        with self._lock:
            known = self.receiver.hear(payload, topic=message.topic)
            known = self.sender.hear(payload, topic=message.topic) or known
            if not known:
                self.frames.append((message.topic, payload))
                opened = self.receiver.open(payload, topic=message.topic, retained=message.retain)
                self.messages.append(opened)
            self._publish()

    def _publish(self) -> None:
        for each in self.receiver.publications():
            self._client.publish(each.topic, each.payload, each.qos, each.retain)

    def _tick(self) -> None:
        while not self._over.wait(0.05):
            if self._client.is_connected():
                with self._lock:
                    self._publish()

    def __enter__(self) -> Self:
        self._client.connect(self._broker.host, self._broker.port)
        listen(self._client)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
        stop(self._client)
