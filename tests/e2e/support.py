"""What the tests on a real broker share: a keyring, plain MQTT clients, waiting for conditions."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

import espseal
from broker import Mosquitto

PROTOCOLS = [MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5]
COMMANDS = """
command_topic = "sensors/{node_id}/command"
command_session_topic = "sensors/{node_id}/command-session"
"""


def wait_for(condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Waits until a condition holds; no test depends on how long that takes."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(0.005)


async def until(condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """`wait_for` for coroutines."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        await asyncio.sleep(0.005)


def new_client(
    protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv311,
    kind: type[mqtt.Client] = mqtt.Client,
    *,
    client_id: str = "",
    persistent: bool = False,
    manual_ack: bool = False,
) -> mqtt.Client:
    """An unconnected client that reconnects fast."""
    clean = None if protocol == MQTTProtocolVersion.MQTTv5 else not persistent
    client = kind(
        CallbackAPIVersion.VERSION2,
        client_id,
        clean_session=clean,
        protocol=protocol,
        manual_ack=manual_ack,
    )
    client.reconnect_delay_set(0.05, 0.2)  # type: ignore[arg-type]  # it sleeps fractions well
    return client


def connect(client: mqtt.Client, broker: Mosquitto) -> None:
    """Connects, as one whose session the broker keeps if the client was made ``persistent``."""
    if client.protocol != MQTTProtocolVersion.MQTTv5:
        client.connect(broker.host, broker.port)
        return
    kept = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    kept.SessionExpiryInterval = 3600
    client.connect(broker.host, broker.port, clean_start=False, properties=kept)


def listen(client: mqtt.Client, subscriptions: int = 1) -> None:
    """Starts a client's network loop; returns once the broker has granted what it subscribes.

    To be connected is not enough: the subscriptions go out later, from that loop, and what is
    published before the broker has them does not arrive.

    Arguments:
        client: connected; it subscribes in its ``on_connect``, or espseal is attached to it.
        subscriptions: how many packets of them it sends at a connection.
    """
    theirs, answers = client.on_subscribe, list[None]()

    def note(*arguments: Any) -> None:  # noqa: ANN401 - whatever paho gives
        if theirs is not None:
            theirs(*arguments)
        answers.append(None)

    client.on_subscribe = note
    client.loop_start()
    try:
        wait_for(lambda: len(answers) >= subscriptions, "the broker's answer to a subscription")
    except AssertionError:
        stop(client)
        raise
    client.on_subscribe = theirs


def stop(client: mqtt.Client) -> None:
    """Disconnects a client and ends its thread."""
    client.disconnect()
    client.loop_stop()


class Arrival(NamedTuple):
    """A message as it came from the broker."""

    topic: str
    payload: bytes
    retained: bool


class Probe:
    """A plain client that hears all the broker's topics, and sends what it is told to."""

    def __init__(self, broker: Mosquitto) -> None:
        self.arrivals: list[Arrival] = []
        self._broker = broker
        self.client = new_client()
        self.client.on_connect = self._subscribe
        self.client.on_message = lambda _client, _data, message: self.arrivals.append(
            Arrival(message.topic, bytes(message.payload), message.retain)
        )

    def on(self, topic: str) -> list[bytes]:
        """The payloads that have arrived on a topic so far."""
        return [each.payload for each in self.arrivals if each.topic == topic]

    def send(self, topic: str, payload: bytes | str, *, qos: int = 1, retain: bool = False) -> None:
        """Publishes, and returns once the broker has it."""
        self.client.publish(topic, payload, qos, retain).wait_for_publish(60)

    def catch_up(self) -> None:
        """Returns once it has heard whatever the broker had passed on before."""
        heard = len(self.on("marker"))
        self.send("marker", b"")
        wait_for(lambda: len(self.on("marker")) > heard, "the marker")

    def session(self, device: espseal.Device) -> espseal.Device:
        """Hands the newest session ID to a device once there is one."""
        topic = device.session_topic or ""
        wait_for(lambda: self.on(topic), f"a session ID on {topic}")
        assert device.hear(self.on(topic)[-1])
        return device

    def _subscribe(self, *_: object) -> None:
        self.client.subscribe("#", 1)

    def __enter__(self) -> Self:
        self.client.connect(self._broker.host, self._broker.port)
        listen(self.client)
        return self

    def __exit__(self, *error: object) -> None:
        stop(self.client)


def new_keyring(
    folder: Path, devices: dict[str, str], *, place: str = "sensors", options: str = ""
) -> espseal.Keyring:
    """A keyring of one group on ``place/+``: device names and their node IDs.

    ``options`` are more fields of the group, like `COMMANDS`.
    """
    path = folder / f"{place}.toml"
    file = espseal.KeyringFile.create(path)
    file.add_group(place, topic=f"{place}/+", session_topic=f"{place}/session")
    for name, node_id in devices.items():
        file.add_device(name, group=place, node_id=node_id)
    text = path.read_text()
    path.write_text(text.replace("session_topic =", f"{options}\nsession_topic =", 1))
    return espseal.Keyring.load(path)


class Node:
    """A device on a connection of its own: it sends readings, and takes commands.

    Arguments:
        broker: what it connects to.
        keyring: where its keys are.
        name: of the device.
        node_id: of the device; its topics begin with ``sensors/<node ID>``.
        protocol: MQTT 3.1.1 or 5.
    """

    def __init__(
        self,
        broker: Mosquitto,
        keyring: espseal.Keyring,
        name: str,
        node_id: str,
        protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv311,
    ) -> None:
        self.device = espseal.Device.from_keyring(keyring, name)
        self.topic = f"sensors/{node_id}"
        self.command_topic = f"{self.topic}/command"
        self.command_session_topic = f"{self.topic}/command-session"
        self.sessions: list[bytes] = []
        self.shown: list[bytes] = []
        self.commands: list[espseal.Message] = []
        self._broker = broker
        self.client = new_client(protocol, client_id=name, persistent=True)
        self.client.on_connect = self._connected
        self.client.on_message = self._hear

    def send(self, data: str) -> bytes:
        """Sends a reading, and returns its frame once the broker has it."""
        wait_for(lambda: self.sessions, "a session ID")
        frame = self.device.seal(data)
        self.client.publish(self.topic, frame, 1).wait_for_publish(60)
        return frame

    def show_session(self) -> None:
        """Draws a session for one command and shows it."""
        self.shown.append(self.device.draw_command_session())
        self.client.publish(self.command_session_topic, self.shown[-1], 1, retain=True)

    @property
    def verdicts(self) -> list[str]:
        """The verdicts on what has arrived on its command topic."""
        return [each.verdict.value for each in self.commands]

    @property
    def taken(self) -> list[bytes | None]:
        """The commands that it acted on."""
        return [each.data for each in self.commands if each.verdict == espseal.Verdict.FRESH]

    def _connected(self, *_: object) -> None:
        topics = [self.device.session_topic or "", self.command_topic]
        self.client.subscribe([(each, 1) for each in topics])

    def _hear(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        payload = bytes(message.payload)
        if message.topic == self.command_topic:
            self.commands.append(self.device.open(payload, topic=message.topic))
        elif self.device.hear(payload):
            self.sessions.append(payload)

    def __enter__(self) -> Self:
        connect(self.client, self._broker)
        listen(self.client)
        return self

    def __exit__(self, *error: object) -> None:
        stop(self.client)


class SealedDevice:
    """A sealed device on a connection of its own, which does as its publications say.

    Arguments:
        broker: what it connects to.
        keyring: where its keys are.
        name: of the device.
    """

    def __init__(self, broker: Mosquitto, keyring: espseal.Keyring, name: str) -> None:
        self.device = espseal.Device.from_keyring(keyring, name, format="sealed")
        self.commands: list[bytes] = []
        self.answers = True
        """Whether what it has to say goes out; what does not is lost."""
        self._broker = broker
        self._changed = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._run)
        self.client = new_client(client_id=name)
        self.client.on_connect = self._connected
        self.client.on_message = self._receive

    def send(self, data: str) -> None:
        """Sends a reading, as soon as the host has welcomed it."""
        self.device.send(data)
        self._wake()

    def _connected(self, *_: object) -> None:
        self.client.subscribe([(each, 1) for each in self.device.subscriptions])
        self.device.reconnected()
        self._wake()

    def _receive(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        payload = bytes(message.payload)
        if message.topic == self.device.beacon_topic:
            self.device.hear(payload)
        else:
            opened = self.device.open(payload, topic=message.topic)
            if opened.verdict == espseal.Verdict.FRESH and opened.data is not None:
                self.commands.append(opened.data)
        self._wake()

    def _run(self) -> None:
        while not self._over:
            for each in self.device.publications() if self.client.is_connected() else []:
                if self.answers:
                    self.client.publish(each.topic, each.payload, each.qos, each.retain)
            with self._changed:
                self._changed.wait(min(self.device.next_due() or 0.1, 0.1))

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify()

    def __enter__(self) -> Self:
        self.client.connect(self._broker.host, self._broker.port)
        listen(self.client)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over = True
        self._wake()
        self._thread.join()
        stop(self.client)


def new_fleet(folder: Path, *names: str) -> espseal.Keyring:
    """A keyring of one fleet. No renewal of its beacon ever helps a test out."""
    file = espseal.KeyringFile.create(folder / "fleet.toml")
    file.add_fleet("house", beacon_interval=1800, beacon_life=3600)
    for name in names:
        file.add_sealed(name, fleet="house")
    return espseal.Keyring.load(file.path)
