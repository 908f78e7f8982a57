"""``espseal device rotate`` as a process, on a real broker, with a receiver and a device."""

from pathlib import Path

import pytest

import espseal
import sealed_peers
from broker import Mosquitto
from support import wait_for
from test_cli_support import Command, at, new_home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a fleet of one device in its keyring."""
    home = new_home(tmp_path)
    path = home / "keyring.toml"
    path.unlink()
    file = espseal.KeyringFile.create(path)
    file.add_group("house", topic="sensors/+", session_topic="sensors/session")
    file.add_device("attic", group="house", node_id="7")
    file.add_fleet("home")
    file.add_sealed("kitchen", fleet="home")
    return home


def ends(home: Path) -> tuple[espseal.Receiver, espseal.Device]:
    keyring = espseal.Keyring.load(home / "keyring.toml")
    receiver = espseal.Receiver(keyring, espseal.Store.sqlite(home / "state"))
    return receiver, espseal.Device.from_keyring(keyring, "kitchen", state=home / "device")


def rotate(home: Path, broker: Mosquitto, *words: str) -> Command:
    return Command(
        home, "device", "rotate", "kitchen", "--state", str(home / "state"), *at(broker), *words
    )


def test_a_device_comes_to_its_next_epoch(broker: Mosquitto, home: Path) -> None:
    receiver, device = ends(home)
    with sealed_peers.host(broker, receiver), sealed_peers.device(broker, device):
        wait_for(lambda: device.is_welcomed, "the welcome")
        for epoch in (1, 2):
            with rotate(home, broker) as command:
                assert command.end() == 0, command.err
            assert command.out == [f"kitchen has come to epoch {epoch}."]
            assert device.epoch == epoch


def test_a_device_that_is_away(broker: Mosquitto, home: Path) -> None:
    receiver, device = ends(home)
    with sealed_peers.host(broker, receiver):
        with sealed_peers.device(broker, device):
            wait_for(lambda: device.is_welcomed, "the welcome")
            with rotate(home, broker) as command:
                assert command.end() == 0, command.err
        with rotate(home, broker, "--timeout", "2") as command:
            assert "espseal device show kitchen" in command.sentence(4)
        with rotate(home, broker, "--mqtt-version", "5") as command:
            assert "Nobody hears it" in command.sentence(1)
    assert device.epoch == 1


def test_what_stands_in_its_way(broker: Mosquitto, home: Path) -> None:
    with rotate(home, broker) as command:
        assert "beacon" in command.sentence(1)
    receiver, _ = ends(home)
    with sealed_peers.host(broker, receiver):
        wait_for(lambda: "PUBLISH" in broker.log, "the beacon")
        with rotate(home, broker, "--timeout", "1") as command:
            assert "said no hello within 1 seconds though it was asked" in command.sentence(4)
    words = ("--state", str(home / "state"), *at(broker))
    with Command(home, "device", "rotate", "attic", *words) as command:
        assert "classic" in command.sentence(1)
    with Command(home, "device", "rotate", "shed", *words) as command:
        assert "no device named shed" in command.sentence(1)


def test_a_broker_that_is_not_there(broker: Mosquitto, home: Path) -> None:
    receiver, device = ends(home)
    with sealed_peers.host(broker, receiver), sealed_peers.device(broker, device):
        wait_for(lambda: device.is_welcomed, "the welcome")
        with rotate(home, broker) as command:
            assert command.end() == 0, command.err
        words = ("--state", str(home / "state"), "--host", "127.0.0.1", "--port", "1")
        with Command(home, "device", "rotate", "kitchen", *words) as command:
            command.sentence(3)
