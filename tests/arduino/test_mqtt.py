"""The library over MQTT: readings that wait for a connection."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import espseal
from broker import Mosquitto
from espseal.cli.provision import as_json
from espseal.cli.provision.surroundings import Surroundings
from support import wait_for

from .conftest import LIBRARY, run
from .hosting import Host
from .sketch import Sketch


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    folder = tmp_path / "broker"
    folder.mkdir()
    with Mosquitto(folder) as broker:
        yield broker


@pytest.fixture
def keyring(tmp_path: Path) -> espseal.Keyring:
    file = espseal.KeyringFile.create(tmp_path / "keyring.toml")
    file.add_fleet("home")
    file.add_sealed("lamp", fleet="home")
    return espseal.Keyring.load(file.path)


def outbox(tmp_path: Path, broker: Mosquitto, keyring: espseal.Keyring, drop: str) -> Sketch:
    """A board with an outbox of three readings."""
    board = tmp_path / "board"
    board.mkdir()
    given = keyring.provision("lamp")
    (board / "lamp.json").write_text(as_json.render(given, Surroundings()))
    run("python3", LIBRARY / "extras" / "flash_image.py", board / "lamp.json", board / "flash.bin")
    topics = {
        "UP": given.up_topic,
        "HELLO": given.hello_topic,
        "DOWN": given.down_topic,
        "BEACON": given.beacon_topic,
    }
    place = f'#define MQTT_HOST "{broker.host}"\n#define MQTT_PORT {broker.port}\n'
    place += f"#define DROP_OLDEST {drop}\n"
    place += "".join(f'#define {name}_TOPIC "{topic}"\n' for name, topic in topics.items())
    return Sketch(board, "../../tests/arduino/sketches/Outbox", {"place.h": place})


@pytest.mark.parametrize(
    ("drop", "said", "dropped", "arrived"),
    [
        ("false", ["ok"] * 3 + ["outbox_full"] * 7, 0, (0, 1, 2)),
        ("true", ["ok"] * 10, 7, (7, 8, 9)),
    ],
)
def test_a_full_outbox_refuses_or_drops_the_oldest(
    tmp_path: Path,
    broker: Mosquitto,
    keyring: espseal.Keyring,
    drop: str,
    said: list[str],
    dropped: int,
    arrived: tuple[int, ...],
) -> None:
    sketch = outbox(tmp_path, broker, keyring, drop)
    with Host(broker, keyring, tmp_path) as host, sketch:
        wait_for(lambda: len(host.readings) >= len(arrived), "the readings")
        assert host.readings == [f"number{number}" for number in arrived]
    published = [line for line in sketch.lines if line.startswith("published: ")]
    assert published == [f"published: {word}" for word in said]
    # One that has no room in an empty outbox drops no other.
    assert sketch.said("too long: outbox_full") == 1
    assert sketch.said(f"dropped: {dropped}") == 1
    # Nothing was tried before beforeConnect allowed it.
    assert sketch.said("online, asked 21 times") == 1
