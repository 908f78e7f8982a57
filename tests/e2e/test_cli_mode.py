"""``espseal device mode`` as a process, on a real broker, with a receiver and a device."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import espseal
import sealed_peers
from broker import Mosquitto
from support import Probe, wait_for
from test_cli_support import Command, at, new_home

MAC = "18:fe:34:a2:66:29"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a device whose topics are called by its MAC."""
    home = new_home(tmp_path)
    path = home / "keyring.toml"
    path.unlink()
    file = espseal.KeyringFile.create(path)
    file.add_group("house", topic="sensors/+", session_topic="sensors/session")
    file.add_device("attic", group="house", node_id="7")
    file.add_fleet("home")
    with Command(home, "device", "add", "kitchen", "--mac", MAC) as command:
        assert command.end() == 0, command.err
    return home


@contextmanager
def both(home: Path, broker: Mosquitto) -> Iterator[espseal.Device]:
    """The host and the device, welcomed."""
    keyring = espseal.Keyring.load(home / "keyring.toml")
    receiver = espseal.Receiver(keyring, espseal.Store.sqlite(home / "state"))
    device = espseal.Device.from_keyring(keyring, "kitchen", state=home / "device")
    with sealed_peers.host(broker, receiver), sealed_peers.device(broker, device):
        wait_for(lambda: device.is_welcomed, "the welcome")
        yield device


def mode(home: Path, broker: Mosquitto, *words: str, name: str = "kitchen") -> Command:
    return Command(
        home, "device", "mode", name, "--state", str(home / "state"), *at(broker), *words
    )


def test_a_mode_is_asked_for_and_switched(broker: Mosquitto, probe: Probe, home: Path) -> None:
    with both(home, broker) as device:
        with mode(home, broker) as command:
            assert command.end() == 0, command.err
        assert command.out == ["kitchen is in mode run."]
        with mode(home, broker, "configure") as command:
            assert command.end() == 0, command.err
        assert "access point" in command.out[0]
        assert device.mode == 1
        with mode(home, broker, "--json") as command:
            assert command.end() == 0, command.err
        assert json.loads("".join(command.out)) == {"device": "kitchen", "mode": "configure"}
        with mode(home, broker, "run", "--json") as command:
            assert command.end() == 0, command.err
        assert json.loads("".join(command.out)) == {"device": "kitchen", "mode": "run"}
        assert device.mode == 0
        device.set_mode(7)
        with mode(home, broker) as command:
            assert command.end() == 0, command.err
        assert command.out == ["kitchen is in mode 7."]
        # Whoever recorded that answer does not answer the next question with it.
        device.set_mode(0)
        probe.send("mqtt_tx_18fe34a26629", probe.on("mqtt_tx_18fe34a26629")[-1], retain=True)
        with mode(home, broker) as command:
            assert command.end() == 0, command.err
        assert command.out == ["kitchen is in mode run."]


def test_a_device_that_is_away(broker: Mosquitto, home: Path) -> None:
    with both(home, broker):
        pass
    keyring = espseal.Keyring.load(home / "keyring.toml")
    receiver = espseal.Receiver(keyring, espseal.Store.sqlite(home / "state"))
    with sealed_peers.host(broker, receiver):
        for words in ((), ("configure",)):
            with mode(home, broker, "--timeout", "2", *words) as command:
                assert "is it connected" in command.sentence(4).lower()


def test_what_stands_in_its_way(broker: Mosquitto, home: Path) -> None:
    with mode(home, broker) as command:
        assert "beacon" in command.sentence(1)
    with mode(home, broker, "configure", name="attic") as command:
        assert "classic" in command.sentence(1)
    with mode(home, broker, name="shed") as command:
        assert "no device named shed" in command.sentence(1)
    with mode(home, broker, "sleep") as command:
        assert "configure" in command.sentence(2)
    words = ("--state", str(home / "state"), "--host", "127.0.0.1", "--port", "1")
    with both(home, broker), Command(home, "device", "mode", "kitchen", *words) as command:
        command.sentence(3)
