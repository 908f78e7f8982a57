"""``espseal listen`` as a process, on a real broker, with sealed devices."""

import shlex
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import espseal
import sealed_peers
from broker import Mosquitto
from espseal import sealed
from support import Probe, wait_for
from test_cli_listen import on_a_terminal
from test_cli_support import Command, assert_no_key, at, write_keyring

BARN = "0011223344556677"
_FLEET = """
[[fleet]]
name = "farm"
key = { hex = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf" }
"""
_BARN = f"""
[[device]]
name = "barn"
sealed = {{ fleet = "farm", address = "{BARN}" }}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a keyring of both formats in it."""
    home = tmp_path / "home"
    home.mkdir()
    path = write_keyring(home / "keyring.toml")
    path.write_text(path.read_text() + _FLEET + _BARN)
    return home


def ours(home: Path, **how: Any) -> espseal.Device:  # noqa: ANN401 (as `from_keyring` takes them)
    """The sealed device."""
    return espseal.Device.from_keyring(espseal.Keyring.load(home / "keyring.toml"), "barn", **how)


class _Speaker:
    """A device, and whether it has acknowledged its welcome at the broker."""

    def __init__(self, end: espseal.Device) -> None:
        self._end = end
        self.has_acknowledged = False
        self.reconnected = end.reconnected

    def publications(self) -> Iterator[espseal.Publication]:
        """What it says besides readings; its acknowledgements go where those do."""
        for each in self._end.publications():
            yield each
            self.has_acknowledged |= each.topic == self._end.topic


class Talker(sealed_peers.Peer):
    """A sealed device that sends what it is told to; a context manager."""

    def __init__(self, broker: Mosquitto, end: espseal.Device) -> None:
        def take(topic: str, payload: bytes) -> None:
            end.hear(payload) if topic == end.beacon_topic else end.open(payload)

        self._end = end
        self._says = _Speaker(end)
        super().__init__(broker, self._says, end.subscriptions, take)

    def seal(self, data: str) -> bytes:
        """A reading, once it is welcomed: its counter follows on what was sent before."""
        wait_for(lambda: self._says.has_acknowledged, "the welcome, acknowledged")
        return self._end.seal(data)

    def send(self, *readings: str | bytes) -> None:
        """Publishes readings, or frames."""
        for each in readings:
            frame = each if isinstance(each, bytes) else self.seal(each)
            self.client.publish(self._end.topic or "", frame, 1).wait_for_publish(60)


def rows(path: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(
            "SELECT device, text, address, counter, epoch, advanced, missing FROM readings"
        ).fetchall()


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_readings(broker: Mosquitto, home: Path, version: str) -> None:
    options = ("--json", "--mqtt-version", version, "--count", "3")
    with (
        Command(home, "listen", *at(broker), *options) as command,
        Talker(broker, ours(home)) as barn,
    ):
        barn.send("1", "2", "3")
        assert command.end() == 0, command.err
    first, *_, last = command.records
    assert command.readings("barn") == ["1", "2", "3"]
    assert first | {"time": "", "counter": 0} == {
        "time": "",
        "verdict": "fresh",
        "device": "barn",
        "node_id": None,
        "group": None,
        "address": BARN,
        "claimed_address": None,
        "kind": "data",
        "counter": 0,
        "epoch": 0,
        "advanced": True,
        "missing": 0,
        "topic": f"espseal/{BARN}/up",
        "retained": False,
        "data": "1",
        "encoding": "text",
    }
    assert last["counter"] == first["counter"] + 2
    assert "3 fresh from 1 device, in " in command.err[-1]


def test_what_is_missing(broker: Mosquitto, home: Path) -> None:
    with (
        Command(home, "listen", *at(broker), "--sqlite", str(home / "r.sqlite3")) as command,
        Talker(broker, ours(home)) as barn,
    ):
        barn.send("1")
        late = [barn.seal("2"), barn.seal("3")]
        barn.send("4")
        command.wait_for("barn  4  (2 missing before it)")
        barn.send(late[0], "5")
        command.wait_for("barn  5")
        assert command.signal() == 130
    assert "4 fresh from 1 device, 1 missing, in " in command.err[-1]
    found = rows(home / "r.sqlite3")
    base = found[0][3]
    assert [(row[1], row[3] - base, row[5], row[6]) for row in found] == [
        ("1", 0, 1, 0),
        ("4", 3, 1, 2),
        ("2", 1, 0, 0),
        ("5", 4, 1, 0),
    ]
    assert {(row[0], row[2], row[4]) for row in found} == {("barn", BARN, 0)}


def test_a_kill_loses_nothing_and_stores_nothing_twice(broker: Mosquitto, home: Path) -> None:
    """The broker keeps what comes meanwhile for the fixed client ID."""
    file = home / "readings.sqlite3"
    options = (*at(broker), "--sqlite", str(file), "--client-id", "listener", "--json")
    sent = 0
    with Talker(broker, ours(home)) as barn:
        for _ in range(4):
            with Command(home, "listen", *options) as command:
                for _ in range(25):
                    barn.send(str(sent))
                    sent += 1
                wait_for(lambda: command.readings("barn"), "a reading")
                command.process.kill()
                assert command.end() == -signal.SIGKILL
        with Command(home, "listen", *options) as command:
            barn.send(str(sent))
            wait_for(lambda: str(sent) in command.readings("barn"), "the last reading")
            assert command.signal() == 130
    assert sorted(int(row[1]) for row in rows(file)) == list(range(sent + 1))


def test_a_table_of_an_earlier_version(broker: Mosquitto, home: Path) -> None:
    file = home / "readings.sqlite3"
    with closing(sqlite3.connect(file)) as old:
        old.execute(
            "CREATE TABLE readings (time TEXT NOT NULL, device TEXT NOT NULL, topic TEXT, "
            "data BLOB NOT NULL, text TEXT)"
        )
        old.execute("INSERT INTO readings VALUES ('2026', 'barn', 't', x'31', 'old')")
        old.commit()
    with (
        Command(home, "listen", *at(broker), "--sqlite", str(file), "--count", "1") as command,
        Talker(broker, ours(home)) as barn,
    ):
        barn.send("new")
        assert command.end() == 0, command.err
    found = rows(file)
    assert found[0] == ("barn", "old", None, None, None, None, None)
    assert found[1][:3] == ("barn", "new", BARN)


def test_a_device_that_is_new_to_a_state(broker: Mosquitto, home: Path) -> None:
    """It was welcomed by another host and knows nothing of this one."""
    device = ours(home)
    keyring = espseal.Keyring.load(home / "keyring.toml")
    other = espseal.Receiver(keyring, espseal.Store.memory())
    with Talker(broker, device) as barn:
        with sealed_peers.host(broker, other):
            barn.seal("0")
        with Command(home, "listen", *at(broker), "--json") as command:
            while not command.readings("barn"):
                barn.send("1")
            assert command.signal() == 130
    assert [each for each in command.err if "is new to this state" in each] == [
        "espseal: barn is new to this state: it is asked for a hello, and its readings count "
        "from then on."
    ]
    assert command.records[0]["verdict"] == "stale_session"


# Devices that the keyring does not list.


def removed(home: Path) -> espseal.Device:
    """A device of the fleet, which is no longer in the keyring; a beacon it has heard."""
    device = ours(home)
    path = home / "keyring.toml"
    path.write_text(path.read_text().replace(_BARN, ""))
    return device


def test_discover_finds_a_device_that_was_removed(
    broker: Mosquitto, probe: Probe, home: Path
) -> None:
    device = removed(home)
    with Talker(broker, device):
        with Command(home, "listen", *at(broker), "--json", "--discover") as command:
            command.wait_for(f"The device {BARN} has its key of the fleet farm")
            assert command.signal() == 130
        record = next(each for each in command.records if each["claimed_address"])
        assert (record["verdict"], record["claimed_address"]) == ("unknown_device", BARN)
        assert (record["address"], record["device"], record["data"]) == (None, None, None)
        lines = [line for line in command.err if "espseal device add" in line]
        assert len(lines) == 1
        words = shlex.split(lines[0].partition("espseal ")[2].replace("NAME", "byre"))
        with Command(home, *words) as adding:
            assert adding.end() == 0, adding.err
        with Command(home, "listen", *at(broker), "--json", "--count", "1") as command:
            wait_for(lambda: device.is_welcomed, "the welcome")
            probe.send(device.topic or "", device.seal("21.5"))
            assert command.end() == 0
        assert command.readings("byre") == ["21.5"]


def test_discover_asks_for_the_name_of_one_that_was_removed(broker: Mosquitto, home: Path) -> None:
    with Talker(broker, removed(home)) as barn:
        sender = threading.Thread(target=barn.send, args=["1"])
        sender.start()
        output, code = on_a_terminal(
            home,
            *("listen", *at(broker), "--discover", "--count", "1"),
            ask="Its name",
            answer="kitchen\nbyre\n",
        )
        sender.join()
    assert code == 0, output
    assert "There is a device kitchen already" in output
    assert "Added byre" in output
    names = [each.name for each in espseal.Keyring.load(home / "keyring.toml").devices]
    assert names == ["kitchen", "cellar", "byre"]
    assert_no_key(output)


def test_what_nothing_proves_is_a_claim(broker: Mosquitto, probe: Probe, home: Path) -> None:
    key = sealed.DeviceKey(bytes(32))
    with Command(home, "listen", *at(broker), "--discover") as command:
        wait_for(lambda: probe.on("espseal/farm/beacon"), "a beacon")
        for number in range(30):
            address = f"{number:016x}"
            frame = sealed.seal(key, "1", address=address, counter=1)
            probe.send(f"espseal/{address}/up", frame)
            probe.send(f"espseal/{address}/up", frame)
        command.wait_for("000000000000001d (claimed): ", times=2)
        assert command.signal() == 130
    assert not any("espseal device add NAME" in line for line in command.err)
    said = [line for line in command.err if "nothing proves it" in line]
    assert len(said) == 20
    assert "0000000000000000" in said[0]
    assert "More addresses are claimed" in "\n".join(command.err)


def test_a_table_on_a_terminal(broker: Mosquitto, home: Path) -> None:
    with Talker(broker, ours(home)) as barn:

        def send() -> None:
            barn.send("1")
            barn.seal("2")
            barn.send("3", "4")

        sender = threading.Thread(target=send)
        sender.start()
        output, code = on_a_terminal(home, "listen", *at(broker), "--count", "3")
        sender.join()
    assert code == 0, output
    for word in ("device", "last reading", "barn", "missing", "3 fresh from 1 device, 1 missing"):
        assert word in output
    assert_no_key(output)


def test_a_beacon_topic_that_is_denied_in_silence(tmp_path: Path, home: Path) -> None:
    folder = tmp_path / "broker"
    folder.mkdir()
    acl = (
        "topic readwrite espseal/+/up\ntopic readwrite espseal/+/hello\ntopic readwrite sensors/#\n"
    )
    with Mosquitto(folder, acl=acl) as broker, Command(home, "listen", *at(broker)) as command:
        command.wait_for("What is published on espseal/farm/beacon does not come back")
        assert command.signal() == 130
        assert "sensors/session does not" not in "\n".join(command.err)
        with Command(home, "listen", *at(broker), "--timeout", "60") as command:
            assert "use espseal/farm/beacon" in command.sentence(3)
