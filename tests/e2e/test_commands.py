"""Commands through both adapters: a host, a Mosquitto, devices, and an attacker who writes all.

`CLASSIC.md`, Commands.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import aiomqtt
import pytest
from paho.mqtt.enums import MQTTProtocolVersion

import espseal
import espseal.aiomqtt
import espseal.paho
from broker import Mosquitto
from support import (
    COMMANDS,
    PROTOCOLS,
    Node,
    Probe,
    connect,
    listen,
    new_client,
    new_keyring,
    stop,
    wait_for,
)


class Host(Protocol):
    """The application that reads and commands, whichever adapter it uses."""

    fresh: list[espseal.Message]
    rejected: list[espseal.Message]

    def send(self, device: str, data: str, timeout: float = 60.0) -> None:
        """Returns when the broker has the command."""


class PahoHost:
    """A host on `espseal.paho`."""

    def __init__(self, keyring: espseal.Keyring, protocol: MQTTProtocolVersion) -> None:
        self.fresh: list[espseal.Message] = []
        self.rejected: list[espseal.Message] = []
        store = espseal.Store.memory()
        self._client = new_client(protocol)
        self._attachment = espseal.paho.attach(
            self._client,
            espseal.Receiver(keyring, store),
            "sensors/+",
            on_message=self.fresh.append,
            on_rejected=self.rejected.append,
            sender=espseal.Sender(keyring, store),
        )

    def send(self, device: str, data: str, timeout: float = 60.0) -> None:
        self._attachment.sender.send(device, data, timeout=timeout).result(60)

    @contextlib.contextmanager
    def running(self, broker: Mosquitto) -> Iterator[Host]:
        connect(self._client, broker)
        listen(self._client)
        yield self
        stop(self._client)


class AiomqttHost:
    """A host on `espseal.aiomqtt`, in a thread of its own."""

    def __init__(self, keyring: espseal.Keyring, protocol: MQTTProtocolVersion) -> None:
        self.fresh: list[espseal.Message] = []
        self.rejected: list[espseal.Message] = []
        self._protocol = aiomqtt.ProtocolVersion(protocol)
        self._keyring = keyring
        self._store = espseal.Store.memory()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._readings: espseal.aiomqtt.Messages | None = None

    def send(self, device: str, data: str, timeout: float = 60.0) -> None:
        assert self._loop and self._readings
        sending = self._readings.sender.send(device, data, timeout=timeout)
        asyncio.run_coroutine_threadsafe(sending, self._loop).result(120)

    @contextlib.contextmanager
    def running(self, broker: Mosquitto) -> Iterator[Host]:
        thread = threading.Thread(target=lambda: asyncio.run(self._run(broker)))
        thread.start()
        try:
            wait_for(lambda: self._readings, "the host's connection")
            yield self
        finally:
            assert self._loop
            self._loop.call_soon_threadsafe(self._end.set)
            thread.join(60)
        assert not thread.is_alive()

    async def _run(self, broker: Mosquitto) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        async with (
            aiomqtt.Client(broker.host, broker.port, protocol=self._protocol) as client,
            espseal.aiomqtt.messages(
                client,
                espseal.Receiver(self._keyring, self._store),
                "sensors/+",
                on_rejected=self.rejected.append,
                sender=espseal.Sender(self._keyring, self._store),
            ) as readings,
        ):
            iteration = asyncio.create_task(self._iterate(readings))
            self._readings = readings
            await self._end.wait()
            await readings.aclose()
            await iteration

    async def _iterate(self, readings: espseal.aiomqtt.Messages) -> None:
        async for message in readings:
            self.fresh.append(message)


@pytest.fixture(params=PROTOCOLS, ids=lambda protocol: protocol.name)
def protocol(request: pytest.FixtureRequest) -> MQTTProtocolVersion:
    parameter: MQTTProtocolVersion = request.param
    return parameter


@pytest.fixture
def keyring(tmp_path: Path) -> espseal.Keyring:
    return new_keyring(tmp_path, {"lamp": "7", "fan": "8"}, options=COMMANDS)


@pytest.fixture(params=[PahoHost, AiomqttHost], ids=["paho", "aiomqtt"])
def host(
    request: pytest.FixtureRequest,
    keyring: espseal.Keyring,
    broker: Mosquitto,
    protocol: MQTTProtocolVersion,
) -> Iterator[Host]:
    with request.param(keyring, protocol).running(broker) as host:
        yield host


@pytest.fixture
def lamp(
    keyring: espseal.Keyring, broker: Mosquitto, protocol: MQTTProtocolVersion
) -> Iterator[Node]:
    with Node(broker, keyring, "lamp", "7", protocol) as node:
        yield node


@pytest.fixture
def fan(
    keyring: espseal.Keyring, broker: Mosquitto, protocol: MQTTProtocolVersion
) -> Iterator[Node]:
    with Node(broker, keyring, "fan", "8", protocol) as node:
        yield node


def recorded(probe: Probe, node: Node) -> bytes:
    """The first command that went to a node, as an attacker has it."""
    wait_for(lambda: probe.on(node.command_topic), "the command")
    return probe.on(node.command_topic)[0]


def refuses(node: Node, probe: Probe, frame: bytes, verdict: str) -> None:
    """An attacker sends this to a node, which gives this verdict and does nothing."""
    before = len(node.commands)
    probe.send(node.command_topic, frame)
    wait_for(lambda: len(node.commands) == before + 1, "a verdict")
    assert node.commands[-1].verdict == verdict
    assert node.commands[-1].data is None


def test_a_command_arrives_once(host: Host, lamp: Node, fan: Node, probe: Probe) -> None:
    # A node that sleeps: the session is there, retained, when the host looks for it.
    lamp.show_session()
    host.send("lamp", "on")
    wait_for(lambda: lamp.taken == [b"on"], "the command")
    frame = recorded(probe, lamp)
    for _ in range(2):
        refuses(lamp, probe, frame, "duplicate")
    lamp.show_session()
    # Under the session that it was sealed for, it stays known.
    refuses(lamp, probe, frame, "duplicate")
    refuses(fan, probe, frame, "forged")
    host.send("lamp", "off")
    wait_for(lambda: lamp.taken == [b"on", b"off"], "the next command")
    assert fan.taken == []


def test_no_session(host: Host, lamp: Node) -> None:
    with pytest.raises(espseal.SessionError, match="lamp shows no session"):
        host.send("lamp", "on", timeout=0)
    lamp.show_session()
    host.send("lamp", "on")
    wait_for(lambda: lamp.taken == [b"on"], "the command")


def test_a_session_is_used_once_though_it_is_shown_again(
    host: Host, lamp: Node, probe: Probe
) -> None:
    lamp.show_session()
    host.send("lamp", "on")
    # An attacker would have the host seal a second command under it.
    probe.send(lamp.command_session_topic, lamp.shown[0], retain=True)
    with pytest.raises(espseal.SessionError, match="lamp shows no session"):
        host.send("lamp", "off", timeout=0.2)
    lamp.show_session()
    host.send("lamp", "off")
    wait_for(lambda: len(lamp.commands) == 2, "the commands")
    assert lamp.taken == [b"on", b"off"]


def test_a_reflected_uplink(host: Host, lamp: Node, probe: Probe, keyring: espseal.Keyring) -> None:
    # The attacker shows the node its own command session as though it were the host's, and the
    # node seals a reading before the host's answer comes.
    lamp.show_session()
    probe.send("sensors/session", lamp.shown[0])
    wait_for(lambda: lamp.shown[0] in lamp.sessions, "the session ID")
    deceived = espseal.Device.from_keyring(keyring, "lamp")
    assert deceived.hear(lamp.shown[0])
    frame = deceived.seal("on")
    refuses(lamp, probe, frame, "wrong_direction")
    # Nor is it a reading: the session is not the host's.
    probe.send(lamp.topic, frame)
    wait_for(lambda: host.rejected, "a verdict")
    assert host.rejected[-1].verdict == "forged"
    assert lamp.taken == []
    # The session is still good for the command that it was drawn for.
    host.send("lamp", "on")
    wait_for(lambda: lamp.taken == [b"on"], "the command")


def test_a_reflected_command(host: Host, lamp: Node, probe: Probe) -> None:
    lamp.show_session()
    host.send("lamp", "on")
    wait_for(lambda: lamp.taken == [b"on"], "the command")
    probe.send(lamp.topic, recorded(probe, lamp))
    wait_for(lambda: host.rejected, "a verdict")
    assert host.rejected[-1].verdict == "forged"
    assert host.fresh == []


def test_another_nodes_id(host: Host, lamp: Node, fan: Node, probe: Probe) -> None:
    # The attacker shows the lamp's session as the fan's, and turns the fan's command to the lamp.
    lamp.show_session()
    probe.send(fan.command_session_topic, lamp.shown[0], retain=True)
    host.send("fan", "fast")
    wait_for(lambda: fan.commands, "the command")
    assert fan.verdicts == ["forged"]
    refuses(lamp, probe, recorded(probe, fan), "wrong_direction")
    assert lamp.taken == []
    # The fan shows its own again.
    fan.show_session()
    host.send("fan", "slow")
    wait_for(lambda: fan.taken == [b"slow"], "the command")


def test_a_forged_command_session_topic(host: Host, lamp: Node, probe: Probe) -> None:
    # What does not look like a session is nothing at all.
    for payload in (b"", b"no session", b"A" * 32, b"0" * 31, b"0" * 33):
        probe.send(lamp.command_session_topic, payload, retain=True)
    with pytest.raises(espseal.SessionError):
        host.send("lamp", "on", timeout=0.2)
    # What does brings a command that the node refuses, and no one else can use.
    probe.send(lamp.command_session_topic, b"0" * 32, retain=True)
    host.send("lamp", "on")
    wait_for(lambda: lamp.verdicts == ["forged"], "the verdict")
    lamp.show_session()
    host.send("lamp", "on")
    wait_for(lambda: lamp.taken == [b"on"], "the command")
    refuses(lamp, probe, recorded(probe, lamp), "forged")


def test_readings_and_commands_go_together(host: Host, lamp: Node, fan: Node) -> None:
    for number in range(5):
        lamp.show_session()
        fan.show_session()
        lamp.send(f"lamp {number}")
        host.send("lamp", str(number))
        fan.send(f"fan {number}")
        host.send("fan", str(number))
        for node in (lamp, fan):
            wait_for(lambda: len(node.taken) == number + 1, "the command")  # noqa: B023
    wait_for(lambda: len(host.fresh) == 10, "the readings")
    assert lamp.taken == fan.taken == [b"0", b"1", b"2", b"3", b"4"]
    assert (lamp.verdicts, host.rejected) == (["fresh"] * 5, [])
