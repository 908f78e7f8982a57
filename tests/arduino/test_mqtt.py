"""The library over MQTT: readings that wait for a connection."""

import socket
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


def outbox(
    tmp_path: Path, at: tuple[str, int], keyring: espseal.Keyring, drop: str, defines: str = ""
) -> Sketch:
    """A board with an outbox of three readings, and a broker at a host and a port."""
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
    place = f'#define MQTT_HOST "{at[0]}"\n#define MQTT_PORT {at[1]}\n'
    place += f"#define DROP_OLDEST {drop}\n"
    place += "".join(f'#define {name}_TOPIC "{topic}"\n' for name, topic in topics.items())
    return Sketch(board, "../../tests/arduino/sketches/Outbox", {"place.h": place}, defines)


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
    sketch = outbox(tmp_path, (broker.host, broker.port), keyring, drop)
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


def test_a_broker_that_acknowledges_nothing_fills_no_heap(
    tmp_path: Path, keyring: espseal.Keyring
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sketch = outbox(
            tmp_path, listener.getsockname(), keyring, "true", "-DESPSEAL_IN_FLIGHT_MAX=2U"
        )
        with sketch:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(60.0)
                readings = published(connection)
                assert next(readings)[0] == 0x32
                _, identifier = next(readings)
                # The third waits, until one of them is acknowledged.
                connection.settimeout(1.0)
                with pytest.raises(TimeoutError):
                    next(readings)
                connection.settimeout(60.0)
                connection.sendall(b"\x40\x02" + identifier)
                assert next(published(connection))[0] == 0x32


def exactly(connection: socket.socket, count: int) -> bytes:
    """So many bytes."""
    found = b""
    while len(found) < count:
        found += connection.recv(count - len(found))
    return found


def published(connection: socket.socket) -> Iterator[tuple[int, bytes]]:
    """Plays the broker; each reading that comes: the packet's first byte, and its identifier."""
    while first := connection.recv(1):
        length, shift = 0, 0
        while True:
            digit = exactly(connection, 1)[0]
            length |= (digit & 127) << shift
            shift += 7
            if digit < 128:
                break
        body = exactly(connection, length)
        kind = first[0] >> 4
        if kind == 1:
            connection.sendall(b"\x20\x02\x00\x00")
        elif kind == 8:
            connection.sendall(b"\x90\x03" + body[:2] + b"\x01")
        elif first[0] & 6:
            topic = int.from_bytes(body[:2])
            yield first[0], body[2 + topic : 4 + topic]
