"""The SQLite store through Python: what outlives a receiver, and what goes wrong."""

import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import espseal
from espseal import Verdict
from keyrings import device, keyring


def test_a_frame_stays_refused_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "below" / "state.sqlite3"
    ring = keyring()
    host = espseal.Receiver(ring, espseal.Store.sqlite(file))
    frame = device(host).seal("21.5")
    assert host.open(frame).verdict is Verdict.FRESH
    again = espseal.Receiver(ring, espseal.Store.sqlite(file))
    assert again.open(frame).verdict is Verdict.DUPLICATE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_two_receivers_on_one_file_accept_a_frame_once(tmp_path: Path) -> None:
    ring = keyring()
    first = espseal.Receiver(ring, espseal.Store.sqlite(tmp_path / "state"))
    second = espseal.Receiver(ring, espseal.Store.sqlite(tmp_path / "state"), authority=False)
    node = device(first)
    first.reconnected()
    while not (publications := first.publications()):
        time.sleep(0.01)  # what was shown a moment ago is not shown again at once
    for publication in publications:
        assert second.hear(publication.payload, topic=publication.topic)
    frames = [node.seal(str(number)) for number in range(100)]
    fresh: list[bytes] = []

    def work(host: espseal.Receiver) -> None:
        for frame in frames:
            data = host.open(frame).data
            if data is not None:
                fresh.append(data)

    threads = [threading.Thread(target=work, args=(host,)) for host in (first, second) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(fresh) == sorted(str(number).encode() for number in range(100))


def test_the_default_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert espseal.Store.sqlite().path == str(tmp_path / "espseal" / "state.sqlite3")
    assert espseal.Store.memory().path is None


def test_what_is_no_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database, but long enough to look like one " * 40)
    before = text.read_bytes()
    with pytest.raises(espseal.StoreError, match="is not a store of espseal") as error:
        espseal.Store.sqlite(text)
    assert error.value.code == "not_a_store"
    assert text.read_bytes() == before


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "state"
    espseal.Store.sqlite(file)
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(espseal.StoreError, match="newer espseal") as error:
        espseal.Store.sqlite(file)
    assert error.value.code == "newer_schema"


def test_an_unknown_durability_is_the_callers_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="process, power"):
        espseal.Store.sqlite(tmp_path / "state", durability="for ever")  # type: ignore[arg-type]


LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_store_that_is_locked_accepts_nothing_and_loses_nothing(tmp_path: Path) -> None:
    file = tmp_path / "state"
    host = espseal.Receiver(keyring(), espseal.Store.sqlite(file))
    frame = device(host).seal("21.5")
    # Another process: within one, POSIX locks do not keep two SQLite libraries apart.
    with subprocess.Popen(
        [sys.executable, "-c", LOCK, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(espseal.StoreError, match="another process has locked") as error:
            host.open(frame)
        assert error.value.code == "locked"
    assert host.open(frame).verdict is Verdict.FRESH
