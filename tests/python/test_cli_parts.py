"""Parts of `listen` and `send` that no broker is needed for."""

import itertools
import re
import sqlite3
import threading
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from queue import SimpleQueue
from typing import Literal

import pytest
from rich.console import Console

import espseal
from espseal import Verdict, sealed
from espseal.cli.broker.connection import Connection, Down, Up
from espseal.cli.broker.options import Broker
from espseal.cli.broker.patience import Patience
from espseal.cli.exits import BrokerError, CommandError
from espseal.cli.listen.advice import Advisor
from espseal.cli.listen.gaps import Gaps
from espseal.cli.listen.live import Live
from espseal.cli.listen.observed import Observed
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


def table(path: Path, columns: str = "time, device, topic, data, text") -> None:
    """Makes the table of an earlier version."""
    database = sqlite3.connect(path)
    database.execute(f"CREATE TABLE readings ({columns})")
    database.close()


def columns(path: Path) -> list[str]:
    database = sqlite3.connect(path)
    found = [row[1] for row in database.execute("PRAGMA table_info(readings)")]
    database.close()
    return found


NEW = ["address", "counter", "epoch", "advanced", "missing"]


def test_an_older_table_gets_columns_and_someone_else_s_does_not(tmp_path: Path) -> None:
    file = tmp_path / "old.sqlite3"
    table(file)
    for _ in range(2):
        Readings(file).close()
        assert columns(file) == ["time", "device", "topic", "data", "text", *NEW]
    partly = tmp_path / "partly.sqlite3"
    table(partly, "time, device, topic, data, text, counter, mine")
    Readings(partly).close()
    assert set(columns(partly)) == {"time", "device", "topic", "data", "text", "mine", *NEW}
    theirs = tmp_path / "theirs.sqlite3"
    table(theirs, "time, device, note")
    with pytest.raises(CommandError, match="no column named topic"):
        Readings(theirs)
    assert columns(theirs) == ["time", "device", "note"]
    strict = tmp_path / "strict.sqlite3"
    table(strict, "time, device, topic, data, text, mine NOT NULL")
    with pytest.raises(CommandError, match="NOT NULL constraint failed"):
        Readings(strict)
    assert "counter" not in columns(strict)


def test_the_same_sealed_reading_is_stored_once(tmp_path: Path) -> None:
    with Readings(tmp_path / "readings.sqlite3") as readings:
        for counter, missing in ((7, 0), (7, 0), (8, -1), (2**64 - 1, 3), (2**64 - 1, 3)):
            readings.keep(Received(opened(counter), missing=missing))
        rows = readings._database.execute("SELECT counter, missing FROM readings").fetchall()
    assert rows == [(7, 0), (8, 0), (str(2**64 - 1), 3)]


# Counters that did not come.

FLEET = """
version = 1
session_key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
[[fleet]]
name = "farm"
key = { hex = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf" }
danger_first_contact = true
[[device]]
name = "barn"
sealed = { fleet = "farm", address = "0011223344556677" }
"""


def frame(counter: int, kind: Literal["data", "hello", "control"] = "data") -> bytes:
    """A sealed one, of the barn."""
    given = espseal.Keyring.parse(FLEET).provision("barn")
    return sealed.seal(
        given.device_key, b"s" * 16, address=given.address, counter=counter, kind=kind
    )


def opened(counter: int, kind: Literal["data", "hello", "control"] = "data") -> espseal.Message:
    """As a receiver answers that meets the barn: whatever it answers, it has verified."""
    met = espseal.Receiver(espseal.Keyring.parse(FLEET), espseal.Store.memory())
    return met.open(frame(counter, kind))


def test_gaps() -> None:
    gaps = Gaps()
    assert [gaps.note(opened(counter)) for counter in (10, 11, 14, 13, 13, 17, 12, 5)] == [
        *(0, 0, 2, 0, 0, 2, 0, 0)
    ]
    assert gaps.missing == {"barn": 2}
    # A hello follows a restart, which skips what was reserved; a lift skips more than any gap.
    assert gaps.note(opened(900, "hello")) == 0
    assert gaps.note(opened(901)) == 0
    assert gaps.note(opened(901 + 1025)) == 1024
    assert gaps.note(opened(2**40)) == 0
    assert gaps.note(opened(2**64 - 1)) == 0
    assert gaps.missing.total() == 2 + 1024
    # Of what no receiver has verified, nothing is believed.
    judge = receiver(keyring())
    assert gaps.note(judge.open(frame(3))) == 0
    assert gaps.note(judge.open(b"no frame")) == 0


def test_only_the_newest_can_still_come() -> None:
    gaps = Gaps()
    for counter in range(1, 200_000, 100):
        gaps.note(opened_by_counter(counter))
    assert len(gaps._known["0011223344556677"].absent) <= 1024


def opened_by_counter(counter: int) -> espseal.Message:
    return _MET.open(frame(counter))


_MET = espseal.Receiver(espseal.Keyring.parse(FLEET), espseal.Store.memory())


# What only the receiver sees.


def test_topics_on_which_nothing_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("espseal.cli.listen.observed.monotonic", lambda: now[0])
    observed = Observed(receiver(keyring()), lambda *_: None)
    (first,) = observed.publications()
    now[0] = 9.0
    assert observed.silent(10) == ()
    now[0] = 11.0
    assert observed.silent(10) == ("sensors/session",)
    observed.hear(first.payload, topic=first.topic, retained=False)
    assert observed.silent(10) == ()
    # Another's ID is no echo; and after a reconnection it begins anew.
    observed = Observed(receiver(keyring()), lambda *_: None)
    observed.publications()
    observed.hear(first.payload, topic=first.topic, retained=False)
    now[0] = 30.0
    assert observed.silent(10) == ("sensors/session",)
    observed.reconnected()
    assert observed.silent(10) == ()


def test_each_thing_is_said_once() -> None:
    judge = espseal.Receiver(
        espseal.Keyring.parse(FLEET.replace("danger_first_contact = true", "")),
        espseal.Store.memory(),
    )
    new = Received(judge.open(frame(1)))
    assert new.message.verdict == Verdict.STALE_SESSION
    advisor = Advisor(follow=False)
    assert [*advisor.on(None, ())] == []
    (sentence,) = advisor.on(new, ())
    assert sentence.startswith("barn is new to this state: it is asked for a hello")
    assert [*advisor.on(new, ())] == []
    (sentence,) = advisor.on(None, ("a/topic",))
    assert "a/topic" in sentence
    assert [*advisor.on(new, ("a/topic",))] == []
    (sentence,) = Advisor(follow=True).on(new, ())
    assert "only on the state of that one (--state)" in sentence


def test_claims_are_believed_by_nobody() -> None:
    judge = receiver(keyring())
    given = frame(1)
    claim = Received(judge.open(given, topic="t"), given)
    assert (claim.claimed, claim.sender) == ("0011223344556677", "0011223344556677 (claimed)")
    assert claim.record()["address"] is None
    assert Received(judge.open(b"x", topic="t"), b"x").claimed is None
    tally = Tally()
    for number in range(300):
        address = f"{number:016x}"
        lie = sealed.seal(sealed.DeviceKey(bytes(32)), b"", address=address, counter=1)
        tally.add(Received(judge.open(lie, topic="t"), lie))
    assert len(tally.strangers) == 100
    assert tally.verdicts[Verdict.UNKNOWN_DEVICE] == 300


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
    for width, missing in itertools.product((20, 30, 40, 44, 60, 80, 120), (0, 5)):
        tally.missing["kitchen"] = missing
        # Each drawing begins with control sequences.
        lines = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", drawn(tally, width=width)).splitlines()
        assert [line for line in lines if len(line.split("\r")[-1]) > width] == []
        assert any("kitchen" in line or "kitc" in line for line in lines)
        assert any(line.rstrip().endswith("5") for line in lines) == (missing > 0 and width >= 80)


def test_the_summary() -> None:
    tally = Tally()
    tally.verdicts.update({Verdict.FRESH: 3, Verdict.FORGED: 2, Verdict.DUPLICATE: 1})
    assert tally.summary() == "3 fresh, 1 duplicate, 2 forged, in 0 s."
    tally.missing["barn"] = 4
    assert tally.summary() == "3 fresh, 4 missing, 1 duplicate, 2 forged, in 0 s."


def test_without_a_topic() -> None:
    """A message that was opened without a topic still has a sender to show."""
    judge = receiver(keyring())
    assert Received(judge.open(b"no frame")).sender == "on "
    assert Received(judge.open(device(judge).seal(b"1"))).sender == "kitchen"
    assert isinstance(judge, espseal.Receiver)
