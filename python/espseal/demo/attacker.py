"""The attacker's own MQTT client: it hears every message and may publish on every topic."""

import threading
from types import TracebackType
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from espseal.demo.attacks import Attack, Frame, Shot, is_sealed, is_session_id

_PATIENCE = 10.0


class Attacker:
    """Listens on ``#`` and takes notes, for as long as its ``with`` block lasts.

    Arguments:
        host, port: the broker. Nothing else is known.
    """

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._lock = threading.Lock()
        self._listening = threading.Event()
        self._frames: list[Frame] = []
        self._sealed: list[Shot] = []
        self._sessions: dict[str, bytes] = {}
        self._own: set[bytes] = set()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        self._client.connect(*self._address)
        self._client.loop_start()
        if not self._listening.wait(_PATIENCE):
            raise TimeoutError("The broker of the demo does not answer.")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def frames(self) -> list[Frame]:
        """The frames heard so far, the attacker's own left out, in their order."""
        with self._lock:
            return list(self._frames)

    def sealed(self, topic: str) -> list[Shot]:
        """The sealed frames heard so far on a topic, likewise; each once."""
        with self._lock:
            return list(dict.fromkeys(shot for shot in self._sealed if shot.topic == topic))

    @property
    def session_topics(self) -> list[str]:
        """The topics on which session IDs were heard."""
        with self._lock:
            return list(self._sessions)

    @property
    def owns_a_session(self) -> bool:
        """Whether the last thing heard on a session topic is the attacker's own."""
        with self._lock:
            return not self._own.isdisjoint(self._sessions.values())

    def fire(self, attack: Attack) -> None:
        """Publishes the messages of an attack; returns when the broker has taken them all."""
        with self._lock:
            self._own.update(shot.payload for shot in attack.shots)
        taken = [
            self._client.publish(shot.topic, shot.payload, qos=1, retain=shot.retain)
            for shot in attack.shots
        ]
        for message in taken:
            message.wait_for_publish(_PATIENCE)

    def _on_connect(self, client: Client, *_: object) -> None:
        client.subscribe("#", qos=1)

    def _on_subscribe(self, *_: object) -> None:
        self._listening.set()

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        payload = bytes(message.payload)
        with self._lock:
            own = payload in self._own
            if message.topic in self._sessions or (not own and is_session_id(payload)):
                self._sessions[message.topic] = payload
            elif is_sealed(payload) and not own:
                self._sealed.append(Shot(message.topic, payload))
            elif not own:
                frame = Frame.recognise(message.topic, payload)
                if frame is not None:
                    self._frames.append(frame)
