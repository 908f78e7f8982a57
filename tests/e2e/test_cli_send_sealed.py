"""``espseal send`` to sealed devices, as a process, on a real broker."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import espseal
import sealed_peers
from broker import Mosquitto
from support import Probe, stop, wait_for
from test_cli_listen_sealed import BARN, home, ours
from test_cli_support import Command, Node, at

__all__ = ["home"]

DOWN = f"espseal/{BARN}/down"


class Obedient(sealed_peers.Peer):
    """A sealed device that takes commands; a context manager.

    Arguments:
        broker: what it connects to.
        end: the device.
        deaf: whether its acknowledgements get lost.
    """

    def __init__(self, broker: Mosquitto, end: espseal.Device, *, deaf: bool = False) -> None:
        self.commands: list[tuple[str, bytes | None]] = []
        self.asked = 0
        self._end = end

        def take(topic: str, payload: bytes) -> None:
            if topic == end.beacon_topic:
                end.hear(payload)
                return
            self.asked += payload == b""
            message = end.open(payload, topic=topic)
            if message.kind == "data" and payload:
                self.commands.append((message.verdict.value, message.data))

        super().__init__(broker, _Mute(end) if deaf else end, end.subscriptions, take)

    def ready(self) -> None:
        """Waits until it is welcomed."""
        wait_for(lambda: self._end.is_welcomed, "the welcome")


class _Mute:
    """Says nothing on the topic of readings and acknowledgements, once it is told so."""

    def __init__(self, end: espseal.Device) -> None:
        self._end = end
        self.reconnected = end.reconnected
        self._welcomed = False

    def publications(self) -> list[espseal.Publication]:
        """Without the acknowledgements of commands: those after that of the welcome."""
        said = self._end.publications()
        heard = [each for each in said if each.topic != self._end.topic or not self._welcomed]
        self._welcomed |= any(each.topic == self._end.topic for each in said)
        return heard


@pytest.fixture
def receiver(broker: Mosquitto, home: Path) -> Iterator[sealed_peers.Peer]:
    """The authority, on the state that the command uses."""
    keyring = espseal.Keyring.load(home / "keyring.toml")
    store = espseal.Store.sqlite(home / ".local" / "state" / "espseal" / "state.sqlite3")
    with sealed_peers.host(broker, espseal.Receiver(keyring, store)) as peer:
        yield peer


def record(command: Command) -> dict[str, Any]:
    """What ``--json`` has printed."""
    found: dict[str, Any] = json.loads("\n".join(command.out))
    assert found.pop("seconds") >= 0
    return found


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest.mark.usefixtures("receiver")
def test_commands_are_acknowledged(broker: Mosquitto, home: Path, version: str) -> None:
    options = (*at(broker), "--mqtt-version", version)
    with Obedient(broker, ours(home)) as barn:
        barn.ready()
        for number in range(3):
            with Command(home, "send", "barn", f"on {number}", *options) as command:
                assert command.end() == 0, command.err
            assert command.out == ["Sent 4 bytes to barn; it has acknowledged it."]
        with Command(home, "send", "barn", "off", *options, "--json") as command:
            assert command.end() == 0, command.err
    assert record(command) == {
        "device": "barn",
        "bytes": 3,
        "sent": True,
        "topic": DOWN,
        "acknowledged": True,
        "missing": None,
        "reason": None,
    }
    fresh = [data for verdict, data in barn.commands if verdict == "fresh"]
    assert fresh == [b"on 0", b"on 1", b"on 2", b"off"]


def test_listen_and_send(broker: Mosquitto, home: Path) -> None:
    with (
        Command(home, "listen", *at(broker)) as listening,
        Obedient(broker, ours(home)) as barn,
    ):
        barn.ready()
        with Command(home, "send", "barn", "on", *at(broker)) as command:
            assert command.end() == 0, command.err
        assert listening.signal() == 130
    assert ("fresh", b"on") in barn.commands


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest.mark.usefixtures("receiver")
def test_a_device_that_comes_late(broker: Mosquitto, home: Path, version: str) -> None:
    options = (*at(broker), "--mqtt-version", version, "--timeout", "60")
    with Command(home, "send", "barn", "on", *options) as command:
        # It is asked for a hello, which nobody hears, and comes later than that.
        wait_for(lambda: re.search(rf"PUBLISH .* '{DOWN}', .*\n.*PUBACK", broker.log), "the answer")
        with Obedient(broker, ours(home)) as barn:
            assert command.end() == 0, command.err
    assert [data for _, data in barn.commands] == [b"on"]


def test_a_device_whose_session_is_gone_is_asked_for_a_hello(
    broker: Mosquitto, probe: Probe, home: Path
) -> None:
    """The store of the host was lost: the device takes itself for welcomed."""
    keyring = espseal.Keyring.load(home / "keyring.toml")
    device = ours(home)
    state = home / ".local" / "state" / "espseal" / "state.sqlite3"
    with Obedient(broker, device) as barn:
        with sealed_peers.host(broker, espseal.Receiver(keyring, espseal.Store.memory())):
            barn.ready()
        # A beacon that lives would be followed, as another authority's.
        probe.send(device.beacon_topic or "", b"", retain=True)
        beacons = len(probe.on(device.beacon_topic or ""))
        lost = espseal.Receiver(keyring, espseal.Store.sqlite(state))
        with sealed_peers.host(broker, lost):
            wait_for(lambda: len(probe.on(device.beacon_topic or "")) > beacons, "a beacon")
            with Command(home, "send", "barn", "on", *at(broker)) as command:
                assert command.end() == 0, command.err
    assert barn.asked >= 1
    assert ("fresh", b"on") in barn.commands


@pytest.mark.usefixtures("receiver")
def test_which_of_both_is_missing(broker: Mosquitto, home: Path) -> None:
    options = (*at(broker), "--timeout", "4", "--json")
    with Command(home, "send", "barn", "on", *options) as command:
        assert "barn has no session for commands" in command.sentence(4)
    said = record(command)
    assert (said["sent"], said["missing"], said["acknowledged"]) == (False, "session", False)
    assert "has no session" in said["reason"]
    with Obedient(broker, ours(home), deaf=True) as barn:
        barn.ready()
        with Command(home, "send", "barn", "on", *options) as command:
            assert "barn did not acknowledge it within 4 seconds" in command.sentence(4)
    said = record(command)
    assert (said["sent"], said["missing"], said["acknowledged"]) == (True, "acknowledgement", False)
    # The very same frame went out again; the device acted on it once.
    assert barn.commands[0] == ("fresh", b"on")
    assert {verdict for verdict, _ in barn.commands[1:]} == {"duplicate"}


def test_no_receiver_runs(broker: Mosquitto, home: Path) -> None:
    with Command(home, "send", "barn", "on", *at(broker), "--json") as command:
        said = command.sentence(1)
    assert "No receiver on this state publishes the beacon of the fleet farm" in said
    assert "espseal listen" in said
    assert record(command)["missing"] == "receiver"


@pytest.mark.usefixtures("receiver")
def test_nobody_hears_it(broker: Mosquitto, probe: Probe, home: Path) -> None:
    with Obedient(broker, ours(home)) as barn:
        barn.ready()
        wait_for(lambda: len(probe.on(f"espseal/{BARN}/up")) > 0, "the acknowledgement")
    stop(probe.client)
    with Command(home, "send", "barn", "on", *at(broker), "--mqtt-version", "5") as command:
        assert "Nobody hears it: barn is not connected" in command.sentence(1)


@pytest.mark.usefixtures("receiver")
def test_a_revoked_device(broker: Mosquitto, home: Path) -> None:
    path = home / "keyring.toml"
    path.write_text(path.read_text().replace(f'"{BARN}" }}', f'"{BARN}", revoked = true }}'))
    with Command(home, "send", "barn", "on", *at(broker)) as command:
        assert "revoked" in command.sentence(1)


def test_json_of_a_classic_device(broker: Mosquitto, home: Path) -> None:
    words = ("send", "kitchen", "on", *at(broker), "--json")
    with Command(home, *words, "--timeout", "1") as command:
        command.sentence(4)
    assert record(command)["missing"] == "session"
    with Node(broker, home / "keyring.toml") as node:
        with Command(home, *words) as command:
            assert command.end() == 0, command.err
        wait_for(lambda: node.commands, "the command")
    said = record(command)
    assert (said["sent"], said["acknowledged"], said["missing"]) == (True, False, None)


@pytest.mark.usefixtures("receiver")
def test_the_broker_is_missing(broker: Mosquitto, home: Path) -> None:
    wait_for(lambda: "PUBLISH" in broker.log, "the beacon")
    options = ("--host", "127.0.0.1", "--port", "1", "--json")
    with Command(home, "send", "barn", "on", *options) as command:
        command.sentence(3)
    assert record(command)["missing"] == "connection"
