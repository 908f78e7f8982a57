"""A simulated board and the host as it is sold: from the keyring over provisioning to a command."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

import espseal
from broker import Mosquitto
from espseal.simulator import LuaVersion, Node

QUICK = """
  on_command = function(data) print("obeyed " .. data) end,
  interval = 100, session_settle = 50, hello_min = 500, reconnect_min = 100,
"""


class RealHost:
    """A receiver and a sender on one store, and a client that carries what they say."""

    def __init__(self, port: int, keyring: espseal.Keyring, store: espseal.Store) -> None:
        self.receiver = espseal.Receiver(keyring, store)
        self.sender = espseal.Sender(keyring, store)
        self.messages: list[espseal.Message] = []
        self._port = port
        self._changed = threading.Condition()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def readings(self) -> list[int]:
        """What was accepted."""
        return [int(each.data) for each in self.messages if each.data is not None]

    def say(self, publication: espseal.Publication) -> None:
        """Publishes what receiver or sender made."""
        self._client.publish(
            publication.topic, publication.payload, publication.qos, publication.retain
        )

    def wait(self, condition: Callable[[], object], complaint: str) -> None:
        """Waits until something is so; asked whenever something came."""
        with self._changed:
            if not self._changed.wait_for(condition, 30):
                pytest.fail(f"{complaint}: {[(m.verdict, m.reason) for m in self.messages[-20:]]}")

    def _on_connect(self, *_: object) -> None:
        filters = [*self.receiver.subscriptions, *self.receiver.reading_filters]
        self._client.subscribe([(each, 1) for each in filters])
        self.receiver.reconnected()
        self._publish()

    def _on_message(self, _client: object, _data: object, message: MQTTMessage) -> None:
        with self._changed:
            if not self.receiver.hear(
                message.payload, topic=message.topic, retained=message.retain
            ):
                self.messages.append(self.receiver.open(message.payload, topic=message.topic))
            self._publish()
            self._changed.notify_all()

    def _publish(self) -> None:
        for publication in self.receiver.publications():
            self.say(publication)


@pytest.fixture
def provisioned(broker: Mosquitto, tmp_path: Path) -> tuple[espseal.Keyring, bytes]:
    """A keyring with one device, and the config.lua that the command wrote for it."""
    ring, config = tmp_path / "keyring.toml", tmp_path / "config.lua"
    reached = ["--mqtt-host", "127.0.0.1", "--mqtt-port", str(broker.port)]
    for command in (
        ["keyring", "new"],
        ["fleet", "new", "house"],
        ["device", "add", "loft", "--fleet", "house"],
        ["provision", "loft", "--format", "nodemcu", "--output", str(config), *reached],
    ):
        subprocess.run(
            [sys.executable, "-m", "espseal.cli", *command],
            env={**os.environ, "ESPSEAL_KEYRING": str(ring)},
            check=True,
            capture_output=True,
        )
    text = config.read_text().rstrip().removesuffix("}") + QUICK + "}\n"
    return espseal.Keyring.load(ring), text.encode()


def board(lua: LuaVersion, config: bytes) -> Node:
    """A board with this config.lua and a sensor that counts."""
    numbers = iter(range(10**6))
    node = Node(
        chip_id=7,
        config=None,
        lua=lua,
        startup="main_sealed.lua",
        sensor=lambda: min(next(numbers), 1024),
    )
    node.start()
    node.reflash({"config.lua": config})
    return node


def test_from_the_keyring_to_a_command_and_on(
    broker: Mosquitto, provisioned: tuple[espseal.Keyring, bytes], lua: LuaVersion
) -> None:
    keyring, config = provisioned
    node = board(lua, config)
    try:
        with RealHost(broker.port, keyring, espseal.Store.memory()) as host:
            host.wait(lambda: len(host.readings()) >= 5, "no readings")
            assert host.readings() == list(range(len(host.readings())))
            host.say(host.sender.seal("loft", "fan=on"))
            node.wait_for(lambda line: line == "obeyed fan=on")
            host.wait(lambda: any(m.acknowledged for m in host.messages), "no acknowledgement")
            # Both ends ratchet, and go on.
            host.say(host.sender.ratchet("loft"))
            host.wait(lambda: host.messages[-1].epoch == 1, "no frame of epoch 1")
            count = len(host.readings())
            host.wait(lambda: len(host.readings()) > count + 3, "no readings of epoch 1")
            host.say(host.sender.seal("loft", "fan=off"))
            node.wait_for(lambda line: line == "obeyed fan=off")
            # Its flash forgets all that it counted: the host lifts it above all it ever used.
            key = config[config.index(b'device_key = "') :].split(b'"')[1]
            assert key not in node.flash["config.lua"]
            before = len(host.messages)
            node.power_cycle()
            host.wait(lambda: len(host.messages) > before + 8, "it does not come back")
            # A broker that is slow gets a packet twice.
            assert {m.verdict for m in host.messages} <= {"fresh", "duplicate"}
        with RealHost(broker.port, keyring, espseal.Store.memory()) as host:
            # Another store: it meets the device anew, in its epoch.
            host.wait(lambda: len(host.readings()) >= 5, "another host does not meet it")
            host.wait(lambda: host.messages[-1].epoch == 1, "not in its epoch")
            host.say(host.sender.seal("loft", "again"))
            node.wait_for(lambda line: line == "obeyed again")
        assert node.panics == 0
    finally:
        node.close()


def test_a_device_that_was_wiped_comes_back(
    broker: Mosquitto, provisioned: tuple[espseal.Keyring, bytes], lua: LuaVersion
) -> None:
    keyring, config = provisioned
    node = board(lua, config)
    try:
        with RealHost(broker.port, keyring, espseal.Store.memory()) as host:
            host.wait(lambda: len(host.readings()) >= 5, "no readings")
            node.reflash({"espseal.1": None, "espseal.2": None})
            node.wait_for(lambda line: line == "welcome, further up")
            fresh = len(host.readings())
            host.wait(lambda: len(host.readings()) > fresh + 5, "no readings after the wipe")
            host.say(host.sender.seal("loft", "on"))
            node.wait_for(lambda line: line == "obeyed on")
            # Hellos that begin at 1 again.
            assert {m.verdict for m in host.messages} <= {"fresh", "duplicate", "replayed"}
    finally:
        node.close()
