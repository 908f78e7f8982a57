"""Parts of `listen` and `send` that no broker is needed for."""

import re
import sqlite3
import threading
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from queue import SimpleQueue

import pytest
from rich.console import Console

import espseal
from espseal import Verdict
from espseal.cli.broker.connection import Connection, Down, Up
from espseal.cli.broker.options import Broker
from espseal.cli.broker.patience import Patience
from espseal.cli.exits import BrokerError, CommandError
from espseal.cli.listen.live import Live
from espseal.cli.listen.readings import Readings
from espseal.cli.listen.received import Received
from espseal.cli.listen.tally import Tally
from keyrings import device, keyring, receiver

Make = Callable[[bytes], Received]


@pytest.fixture
def received() -> Make:
    """Makes fresh messages of a device."""
    judge = receiver(keyring())
    sender = device(judge)
    return lambda data: Received(judge.open(sender.seal(data), topic="sensors/kitchen"))


# Patience.


def test_what_runs_for_long_says_an_outage_once() -> None:
    patience = Patience(endless=True)
    assert patience.judge(Down("It is down")) == "It is down. Trying again ..."
    assert patience.judge(Down("It is still down")) is None
    assert (patience.connected, patience.trouble) == (False, "It is still down.")
    assert patience.judge(Up()) == "Connected again."
    assert (patience.connected, patience.trouble) == (True, None)
    assert patience.judge(Up()) is None
    assert patience.judge(Down("Is it lost?")) == "Is it lost? Trying again ..."


@pytest.mark.parametrize(("endless", "lasting"), [(False, False), (False, True), (True, True)])
def test_what_waiting_does_not_cure_ends_it(endless: bool, lasting: bool) -> None:
    with pytest.raises(BrokerError, match=r"^It refuses\.$"):
        Patience(endless=endless).judge(Down("It refuses", lasting=lasting))


def test_after_a_connection_every_outage_passes() -> None:
    patience = Patience(endless=False)
    patience.judge(Up())
    assert patience.judge(Down("It refuses", lasting=True)) == "It refuses. Trying again ..."


def test_a_broker_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: object, **__: object) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr("socket.create_connection", late)
    events: SimpleQueue[Up | Down] = SimpleQueue()
    with Connection(Broker("broker.example"), events):
        event = events.get(timeout=60)
    assert isinstance(event, Down)
    assert event.why.startswith("The broker at broker.example:1883 does not answer")
    assert not event.lasting


# Readings.


def test_a_full_disk_is_one_sentence(tmp_path: Path, received: Make) -> None:
    file = tmp_path / "readings.sqlite3"
    with Readings(file) as readings:
        readings._database.execute("PRAGMA max_page_count = 8")
        with pytest.raises(CommandError) as caught:
            for _ in range(100):
                readings.keep(received(b"x" * 900))
    assert str(caught.value) == f"{file}: the disk is full."
    with sqlite3.connect(file) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_a_locked_file_is_one_sentence(tmp_path: Path, received: Make) -> None:
    file = tmp_path / "readings.sqlite3"
    with Readings(file) as readings:
        readings._database.execute("PRAGMA busy_timeout = 0")
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CommandError, match="another program has locked it"):
            readings.keep(received(b"21.5"))
        other.close()
        readings.keep(received(b"21.5"))


def test_a_file_that_may_only_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "readings.sqlite3"
    Readings(file).close()
    connect = sqlite3.connect
    # Permissions do not hold for root, who may run this test.
    monkeypatch.setattr(
        "sqlite3.connect",
        lambda path, **how: connect(f"file:{path}?mode=ro", uri=True, **how),
    )
    with pytest.raises(CommandError, match="cannot be written; is it, and its folder, yours"):
        Readings(file)


def test_another_thread_writes(tmp_path: Path, received: Make) -> None:
    with Readings(tmp_path / "readings.sqlite3") as readings:
        writer = threading.Thread(target=readings.keep, args=[received(b"21.5")])
        writer.start()
        writer.join()
        assert readings._database.execute("SELECT count(*) FROM readings").fetchone() == (1,)


# The table.


def drawn(tally: Tally, *, height: int = 24, width: int = 80, discover: bool = True) -> str:
    out = StringIO()
    console = Console(file=out, width=width, height=height, force_terminal=True, color_system=None)
    Live(console, tally, "Listening", discover=discover).close()
    return out.getvalue()


def test_more_devices_than_lines(received: Make) -> None:
    tally = Tally()
    for number in range(30):
        tally.add(received(str(number).encode()))
    sender = tally.devices.pop("kitchen")
    tally.devices = {f"device {number}": sender for number in range(30)}
    shown = drawn(tally)
    # Drawn at the start and at the end.
    assert len(shown.splitlines()) // 2 < 24
    assert "... 19 more" in shown
    assert "device 29" in shown
    assert "device 3 " not in shown


def test_a_narrow_terminal(received: Make) -> None:
    tally = Tally()
    tally.add(received(b"x" * 500))
    tally.verdicts.update(dict.fromkeys(Verdict, 1000))
    for width in (40, 80, 120):
        # Each drawing begins with control sequences.
        lines = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", drawn(tally, width=width)).splitlines()
        assert [line for line in lines if len(line.split("\r")[-1]) > width] == []


def test_the_summary() -> None:
    tally = Tally()
    tally.verdicts.update({Verdict.FRESH: 3, Verdict.FORGED: 2, Verdict.DUPLICATE: 1})
    assert tally.summary() == "3 fresh, 1 duplicate, 2 forged, in 0 s."


def test_without_a_topic() -> None:
    """A message that was opened without a topic still has a sender to show."""
    judge = receiver(keyring())
    assert Received(judge.open(b"no frame")).sender == "on "
    assert Received(judge.open(device(judge).seal(b"1"))).sender == "kitchen"
    assert isinstance(judge, espseal.Receiver)
