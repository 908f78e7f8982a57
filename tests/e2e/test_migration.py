"""docs/migration.md: every command, typed as it stands, while devices send; no reading is lost."""

import contextlib
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pytest

import espseal
from broker import Mosquitto
from espseal.simulator import LuaSource, Node
from support import Probe, wait_for
from test_guides import ROOT, Shell, blocks, commands

GUIDE = ROOT / "docs" / "migration.md"
SILENCE = 1024
SENSOR = f"function() local v = adc.read(0) if v < {SILENCE} then return v end end"
KEYS = {
    "iv_key": "test-only-iv-key",
    "data_key": "test-only-data-k",
    "static_iv": "test-only-static",
    "passphrase": "test only passphrase",
}
LIFE = 5
"""Of a session ID, in seconds; the guide has two minutes."""

CHIPS = {"kitchen": 11242238, "cellar": 9032417}


class Sensor:
    """Reads 0, 1, 2 and so on, up to its limit."""

    def __init__(self) -> None:
        self.limit = 0
        self.taken = 0

    def __call__(self) -> int:
        if self.taken >= self.limit:
            return SILENCE
        self.taken += 1
        return self.taken - 1


class Receiving:
    """The receiver of the guide, beside which another one is started; a context manager."""

    def __init__(self, shell: Shell, line: str) -> None:
        self._shell = shell
        self._line = line
        self._running = ExitStack()
        self._starts = 0

    @property
    def output(self) -> str:
        """What the last one has printed."""
        return (self._shell.home / f"output {self._starts}").read_text()

    def start(self) -> None:
        """Starts another one, and ends the one that ran when the guide says so."""
        self._starts += 1
        with ExitStack() as stack:
            output = f"output {self._starts}"
            stack.enter_context(self._shell.running(self._line, "Listening on", output))
            if self._starts > 1:
                time.sleep(LIFE + 1)
            self._running.close()
            self._running = stack.pop_all()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._running.close()


@pytest.fixture
def shell(broker: Mosquitto, tmp_path: Path) -> Shell:
    """Someone with a keyring of two classic devices."""
    device_broker = f"127.0.0.1 --mqtt-port {broker.port}"
    shell = Shell(tmp_path, broker.host, broker.port, {"broker.example": device_broker})
    file = espseal.KeyringFile.create(shell.home / ".config" / "espseal" / "keyring.toml")
    file.add_group(
        "house",
        topic="sensors/+",
        session_topic="sensors/session",
        keys=espseal.ClassicKeys(**KEYS),
        session_interval=1,
        session_life=LIFE,
    )
    for name, chip in CHIPS.items():
        file.add_device(name, group="house", node_id=str(chip))
    return shell


@contextlib.contextmanager
def node(broker: Mosquitto, name: str, sensor: Sensor) -> Iterator[Node]:
    """A board in the field, with the classic firmware."""
    config = {
        "mqtt_host": "127.0.0.1",
        "mqtt_port": broker.port,
        "topic": f"sensors/{name}",
        "session_topic": "sensors/session",
        "sensor": LuaSource(SENSOR),
        "interval": 50,
        "session_settle": 50,
        "keys": KEYS,
    }
    with Node(chip_id=CHIPS[name], config=config, sensor=sensor, startup="init.lua") as made:
        yield made


def readings(shell: Shell, name: str) -> list[int]:
    """What the guide's receiver has stored of a device, in that order."""
    path = shell.home / "readings.sqlite3"
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(path)) as database:
        rows = database.execute(
            "SELECT data FROM readings WHERE device = ? ORDER BY rowid", [name]
        ).fetchall()
    return [int(data) for (data,) in rows]


def flash(board: Node, sensor: Sensor, config: Path) -> None:
    """Plays the person with the cable: the board gets the new configuration."""
    text = config.read_text()
    assert text.count("sensor = function() return adc.read(0) end") == 1
    text = text.replace("function() return adc.read(0) end", SENSOR)
    text = text.replace("\n}", "\n  interval = 50,\n  session_settle = 50,\n}")
    # The broker has all that was read.
    wait_for(lambda: sensor.taken == sensor.limit, "the last reading")
    wait_for(lambda: board.stats["published"] == board.stats["readings"], "its acknowledgement")
    board.reflash({"config.lua": text.encode()})


def test_every_command_while_readings_come(broker: Mosquitto, shell: Shell) -> None:
    lines = [each for tag, text in blocks(GUIDE) if tag == "console" for each in commands(text)]
    endless = {line for line, _ in lines if line.startswith("espseal listen")}
    assert len(endless) == 1
    kitchen, cellar = Sensor(), Sensor()
    with (
        node(broker, "kitchen", kitchen) as board,
        node(broker, "cellar", cellar),
        Receiving(shell, endless.pop()) as receiver,
    ):
        for line, shown in lines:
            for sensor in (kitchen, cellar):
                # As long as there are two receivers.
                sensor.limit += 200 if line.startswith("espseal listen") else 20
            if line.startswith("espseal listen"):
                receiver.start()
            else:
                said = shell.run(line, shown)
            if line.startswith("espseal provision"):
                flash(board, kitchen, shell.home / "config.lua")
            # Some of them are on their way when the next command is typed.
            wait_for(lambda: len(readings(shell, "cellar")) > cellar.limit - 15, "readings")
            if line.startswith("espseal provision"):
                wait_for(lambda: readings(shell, "kitchen")[-1:] == [kitchen.limit - 1], "it")
                kitchen.limit += 5
                wait_for(lambda: readings(shell, "kitchen")[-1:] == [kitchen.limit - 1], "it")
            if line.startswith("espseal device show"):
                shows = dict(re.split("  +", each.strip()) for each in said.splitlines())
                assert (shows["epoch"], shows["group"], shows["fleet"]) == ("0", "house", "home")
                assert int(shows["counter head"]) > 0
                refuses_the_old_way(broker, shell, receiver)
        for name, sensor in {"kitchen": kitchen, "cellar": cellar}.items():
            wait_for(lambda: len(readings(shell, name)) >= sensor.limit, "all readings")  # noqa: B023
            assert sorted(readings(shell, name)) == list(range(sensor.limit))
    devices = espseal.Keyring.load(shell.home / ".config/espseal/keyring.toml").devices
    assert [(each.name, each.group, each.fleet) for each in devices] == [
        ("kitchen", None, "home"),
        ("cellar", "house", None),
    ]


def refuses_the_old_way(broker: Mosquitto, shell: Shell, receiver: Receiving) -> None:
    """Someone who has the keys of the group speaks in the name of the device."""
    keyring = espseal.Keyring.load(shell.home / ".config/espseal/keyring.toml")
    imitation = espseal.Device.from_keyring(keyring, "kitchen", format="classic")
    with Probe(broker) as probe:
        probe.session(imitation)
        probe.send("sensors/kitchen", imitation.seal("999"))
        wait_for(lambda: "downgraded" in receiver.output, "the verdict")
