"""The example of a Linux device, as it stands, on a real broker.

The host is first the test's own, from the format's stateless functions, then the real one.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Self

import pytest
from paho.mqtt.client import MQTTMessage

import espseal
from broker import Mosquitto
from espseal import sealed
from support import Probe, listen, new_client, stop, wait_for

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "linux_device.py"
ADDRESS = "00112233445566aa"
KEY = bytes(range(32))
UP, HELLO, DOWN = (f"espseal/{ADDRESS}/{end}" for end in ("up", "hello", "down"))
BEACON_TOPIC = "espseal/house/beacon"
BEACON = b"beacon's session"


class Host:
    """Opens what the device sends, and answers."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.key = sealed.DeviceKey(KEY)
        self.sessions: list[bytes] = [BEACON]
        self.counter = 0

    def show_beacon(self) -> None:
        """As the authority does, retained."""
        self.probe.send(BEACON_TOPIC, BEACON.hex(), retain=True)

    def opened(self, topic: str) -> list[sealed.SealedOpened]:
        """All that came there; every frame verifies."""
        opened = [
            sealed.open(payload, self.key, sessions=self.sessions)
            for payload in self.probe.on(topic)
        ]
        assert all(each.data is not None for each in opened), opened
        return opened

    def counters(self) -> list[int]:
        """Of all frames that the device ever sent."""
        counters = [each.counter for topic in (HELLO, UP) for each in self.opened(topic)]
        return sorted(counter for counter in counters if counter is not None)

    def welcome(self, hellos: int, floor: int) -> bytes:
        """Answers the hello of this number; its session, once the device has acknowledged."""
        wait_for(lambda: len(self.probe.on(HELLO)) >= hellos, f"hello {hellos}")
        data = self.opened(HELLO)[-1].data
        assert data is not None
        session = data[:16]
        self.sessions.append(session)
        frame = self.send(b"\x03" + floor.to_bytes(8, "big"), session, "control")
        self.wait_acknowledged(frame)
        return session

    def send(self, data: bytes, session: bytes, kind: Literal["data", "control"]) -> bytes:
        """Seals and publishes a downlink."""
        self.counter += 1
        frame = sealed.seal(
            self.key,
            data,
            address=ADDRESS,
            counter=self.counter,
            direction="downlink",
            kind=kind,
            session=session,
        )
        self.probe.send(DOWN, frame)
        return frame

    def wait_acknowledged(self, frame: bytes) -> None:
        """Waits until the device has said so."""
        body = b"\x02" + frame[20:36]
        wait_for(
            lambda: body in [each.data for each in self.opened(UP) if each.kind == "control"],
            "an acknowledgement",
        )

    def readings(self) -> list[bytes]:
        """What it measured."""
        return [each.data or b"" for each in self.opened(UP) if each.kind == "data"]


@pytest.fixture
def file(tmp_path: Path, broker: Mosquitto) -> Path:
    """What the device is provisioned with."""
    path = tmp_path / "device.json"
    path.touch(mode=0o600)
    fields = {
        "version": 1,
        "name": "loft",
        "address": ADDRESS,
        "device_key": KEY.hex(),
        "epoch": 0,
        "up_topic": UP,
        "hello_topic": HELLO,
        "down_topic": DOWN,
        "beacon_topic": BEACON_TOPIC,
        "mqtt_host": broker.host,
        "mqtt_port": broker.port,
    }
    path.write_text(json.dumps(fields))
    return path


@contextmanager
def running(file: Path) -> Iterator[list[str]]:
    """The example, and what it prints; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, EXAMPLE, file, "--every", "0.2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    printed: list[str] = []
    assert process.stdout is not None
    reader = threading.Thread(target=lambda out: printed.extend(out), args=(process.stdout,))
    reader.start()
    try:
        yield printed
        assert process.poll() is None, printed
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()


def test_readings_commands_and_a_kill(broker: Mosquitto, probe: Probe, file: Path) -> None:
    host = Host(probe)
    host.show_beacon()
    with running(file) as printed:
        session = host.welcome(1, floor=1)
        wait_for(lambda: len(host.readings()) >= 3, "readings")
        float(host.readings()[0])
        command = host.send(b"fan=on", session, "data")
        host.wait_acknowledged(command)
        wait_for(lambda: printed == ["command: fan=on\n"], "the command")
        # A copy is acknowledged and not obeyed; what was changed is neither.
        probe.send(DOWN, command)
        probe.send(DOWN, command[:-1] + b"?")
        host.wait_acknowledged(host.send(b"fan=off", session, "data"))
        wait_for(lambda: len(printed) == 2, "the second command")
        assert printed[1] == "command: fan=off\n"
        # The broker comes back, and the device greets anew.
        broker.restart()
        host.welcome(2, floor=100_000)
        wait_for(lambda: host.counters()[-1] > 100_000, "a lifted counter")
    # Killed, and started again.
    hellos = len(probe.on(HELLO))
    with running(file):
        host.welcome(hellos + 1, floor=1)
        readings = len(host.readings())
        wait_for(lambda: len(host.readings()) > readings, "readings")
    counters = host.counters()
    assert len(counters) == len(set(counters))
    # Its first life ended below what it had reserved.
    assert counters[-1] > 100_000 + 1024


def test_without_a_host_it_sends_after_ten_seconds(probe: Probe, file: Path) -> None:
    host = Host(probe)
    with running(file):
        wait_for(lambda: host.readings(), "a reading")
    hellos, readings = host.opened(HELLO), host.opened(UP)
    # Unbound: there is no beacon.
    assert all(each.data is not None and len(each.data) > 16 for each in hellos)
    first = readings[0].counter
    assert first is not None
    before = [each for each in hellos if each.counter is not None and each.counter < first]
    assert len(before) >= 3


class RealHost:
    """A receiver and a sender on one store, and a client that carries what they say."""

    def __init__(self, broker: Mosquitto, keyring: espseal.Keyring) -> None:
        store = espseal.Store.memory()
        self.receiver = espseal.Receiver(keyring, store)
        self.sender = espseal.Sender(keyring, store)
        self.messages: list[espseal.Message] = []
        self._broker = broker
        self._client = new_client()
        self._client.on_connect = self._connected
        self._client.on_message = self._receive

    @property
    def readings(self) -> list[bytes]:
        """What was accepted."""
        return [each.data for each in self.messages if each.data is not None]

    def publish(self, publications: list[espseal.Publication]) -> None:
        """What receiver or sender made."""
        for each in publications:
            self._client.publish(each.topic, each.payload, each.qos, each.retain)

    def _connected(self, *_: object) -> None:
        filters = [*self.receiver.subscriptions, *self.receiver.reading_filters]
        self._client.subscribe([(each, 1) for each in filters])
        self.receiver.reconnected()
        self.publish(self.receiver.publications())

    def _receive(self, _client: object, _data: object, message: MQTTMessage) -> None:
        if not self.receiver.hear(message.payload, topic=message.topic, retained=message.retain):
            self.messages.append(self.receiver.open(message.payload, topic=message.topic))
        self.publish(self.receiver.publications())

    def __enter__(self) -> Self:
        self._client.connect(self._broker.host, self._broker.port)
        listen(self._client)
        return self

    def __exit__(self, *error: object) -> None:
        stop(self._client)


def test_from_the_keyring_to_the_command(broker: Mosquitto, tmp_path: Path) -> None:
    ring, file = tmp_path / "keyring.toml", tmp_path / "loft.json"
    reached = ["--mqtt-host", broker.host, "--mqtt-port", str(broker.port)]
    for command in (
        ["keyring", "new"],
        ["fleet", "new", "house"],
        ["device", "add", "loft", "--fleet", "house"],
        ["provision", "loft", "--format", "json", "--output", str(file), *reached],
    ):
        subprocess.run(
            [sys.executable, "-m", "espseal.cli", *command],
            env={**os.environ, "ESPSEAL_KEYRING": str(ring)},
            check=True,
            capture_output=True,
        )
    keyring = espseal.Keyring.load(ring)
    with running(file) as printed, RealHost(broker, keyring) as host:
        wait_for(lambda: len(host.readings) >= 3, "readings")
        float(host.readings[0])
        host.publish([host.sender.seal("loft", "fan=on")])
        wait_for(lambda: printed, "a command")
        assert printed == ["command: fan=on\n"]
        # Both ends ratchet, and go on.
        host.publish([host.sender.ratchet("loft")])
        wait_for(lambda: host.messages[-1].epoch == 1, "the next epoch")
        count = len(host.readings)
        wait_for(lambda: len(host.readings) > count, "readings of the next epoch")
        assert "device_key" not in file.read_text()
    with running(file), RealHost(broker, keyring) as host:
        # Another store: it meets the device anew, in its epoch.
        wait_for(lambda: host.readings, "a reading")
        assert host.messages[-1].epoch == 1
