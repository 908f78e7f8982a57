"""``espseal listen`` as a process, on a real broker."""

import json
import resource
import shlex
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import espseal
from broker import Mosquitto
from support import Probe, wait_for
from test_cli_support import Command, Talker, assert_no_key, at, new_home, write_keyring

VERSIONS = ["3.1.1", "5"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return new_home(tmp_path)


@pytest.fixture
def keyring(home: Path) -> Path:
    return home / "keyring.toml"


def stored(path: Path) -> list[tuple[str, str, str, bytes, str | None]]:
    """The rows of the table."""
    database = sqlite3.connect(path)
    try:
        return database.execute("SELECT time, device, topic, data, text FROM readings").fetchall()
    finally:
        database.close()


# What is shown.


@pytest.mark.parametrize("version", VERSIONS)
def test_json_lines(broker: Mosquitto, home: Path, keyring: Path, version: str) -> None:
    options = ("--json", "--mqtt-version", version, "--count", "5", "--memory")
    with Talker(broker, keyring), Command(home, "listen", *at(broker), *options) as command:
        assert command.end() == 0
    assert command.readings() == ["0", "1", "2", "3", "4"]
    first = command.records[0]
    assert first | {"time": ""} == {
        "time": "",
        "verdict": "fresh",
        "device": "kitchen",
        "node_id": "11242238",
        "group": "house",
        "address": None,
        "claimed_address": None,
        "kind": "data",
        "counter": None,
        "epoch": None,
        "advanced": True,
        "missing": 0,
        "topic": "sensors/kitchen",
        "retained": False,
        "data": "0",
        "encoding": "text",
    }
    assert [each["time"] for each in command.records] == sorted(r["time"] for r in command.records)
    assert command.err[-1].startswith("5 fresh from 1 device, in ")


def test_what_is_refused_has_a_reason(
    broker: Mosquitto, probe: Probe, home: Path, keyring: Path
) -> None:
    with Command(home, "listen", *at(broker), "--json") as command, Talker(broker, keyring):
        wait_for(lambda: len(command.readings()) > 1, "readings")
        probe.send("sensors/kitchen", probe.on("sensors/kitchen")[0])
        probe.send("sensors/cellar", b"\xf5\x00 no frame")
        command.wait_for('"duplicate"')
        command.wait_for('"malformed"')
        assert command.signal() == 130
    refused = {each["verdict"]: each for each in command.records if each["verdict"] != "fresh"}
    assert refused["duplicate"]["reason"] == "it was accepted before"
    assert refused["duplicate"]["device"] == "kitchen"
    assert refused["malformed"]["device"] is None
    assert all(each["data"] is None and "encoding" not in each for each in refused.values())
    assert "1 duplicate, 1 malformed" in command.err[-1]


def test_binary_readings(broker: Mosquitto, home: Path, keyring: Path) -> None:
    write_keyring(keyring, options='data = "binary"')
    readings = iter([b"\xff\x00", b"caf\xc3\xa9\n", b"\x1b[2J"])
    with (
        Command(home, "listen", *at(broker), "--json", "--count", "3") as command,
        Talker(broker, keyring, readings=readings),
    ):
        assert command.end() == 0
    found = [(each["data"], each["encoding"]) for each in command.records]
    assert found == [
        ("/wA=", "base64"),
        ("caf\N{LATIN SMALL LETTER E WITH ACUTE}\n", "text"),
        ("\x1b[2J", "text"),
    ]


def test_lines_hold_nothing_that_moves_a_terminal(
    broker: Mosquitto, probe: Probe, home: Path, keyring: Path
) -> None:
    with (
        Command(home, "listen", "sensors/#", *at(broker)) as command,
        Talker(broker, keyring, readings=iter([b"21.5", b"\x1b[2Jboo\n", b"\xff"])),
    ):
        command.wait_for("kitchen  21.5")
        command.wait_for(r"kitchen  \x1b[2Jboo\n")
        command.wait_for("kitchen  0xff")
        probe.send("sensors/\N{RIGHT-TO-LEFT OVERRIDE}red", b"")
        command.wait_for(r"malformed  on sensors/\u202ered")
        assert command.signal() == 130
    assert all(line.isprintable() for line in [*command.out, *command.err])


def test_topics_of_ones_own(broker: Mosquitto, probe: Probe, home: Path) -> None:
    with Command(home, "listen", "sensors/kitchen", *at(broker), "--json") as command:
        command.wait_for("")
        wait_for(lambda: probe.on("sensors/session"), "a session ID")
        probe.send("sensors/cellar", b"not for us")
        probe.send("sensors/kitchen", b"for us")
        command.wait_for("malformed")
        assert command.signal() == 130
    assert [each["topic"] for each in command.records] == ["sensors/kitchen"]


@pytest.mark.parametrize("topic", ["sensors/#/more", "", "a+"])
def test_a_topic_that_is_none(broker: Mosquitto, home: Path, topic: str) -> None:
    with Command(home, "listen", topic, *at(broker)) as command:
        assert "is no topic filter" in command.sentence(2)


def test_a_table_on_a_terminal(broker: Mosquitto, home: Path, keyring: Path) -> None:
    with Talker(broker, keyring), Talker(broker, keyring, "cellar"):
        output, code = on_a_terminal(home, "listen", *at(broker), "--count", "8")
    assert code == 0, output
    for word in ("device", "last reading", "kitchen", "cellar", "fresh", "8 fresh from 2 devices"):
        assert word in output
    # It hides the cursor, and shows it again.
    assert output.rindex("\x1b[?25h") > output.rindex("\x1b[?25l")
    assert_no_key(output)


def on_a_terminal(home: Path, *words: str, ask: str = "", answer: str = "") -> tuple[str, int]:
    """Runs the command on a pseudo-terminal; answers once it is asked."""
    spawn = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    env = {"HOME": str(home), "ESPSEAL_KEYRING": str(home / "keyring.toml"), "TERM": "xterm"}
    line = [sys.executable, "-c", spawn, sys.executable, "-m", "espseal.cli", *words]
    with subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        output = b""
        while ask and not (ask.encode() in output and output.endswith(b"): ")):
            byte = process.stdout.read(1)
            assert byte, output.decode()
            output += byte
        process.stdin.write(answer.encode())
        process.stdin.flush()
        output += process.stdout.read()
        return output.decode(), process.wait(60)


# How it ends.


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["lines", "json"])
def test_ctrl_c(broker: Mosquitto, home: Path, keyring: Path, options: tuple[str, ...]) -> None:
    with Command(home, "listen", *at(broker), *options) as command, Talker(broker, keyring):
        command.wait_for("kitchen")
        assert command.signal() == 130
    assert " fresh from 1 device, in " in command.err[-1]


def test_sigterm_ends_it_as_a_signal_does(broker: Mosquitto, home: Path, keyring: Path) -> None:
    with Command(home, "listen", *at(broker)) as command, Talker(broker, keyring):
        command.wait_for("kitchen")
        assert command.signal(signal.SIGTERM) == -signal.SIGTERM
    assert " fresh from 1 device, in " in command.err[-1]


def test_the_time_is_up(broker: Mosquitto, home: Path) -> None:
    words = ("listen", *at(broker), "--timeout", "5")
    with Command(home, *words) as short, Command(home, *words, "--count", "2") as counting:
        assert short.end() == 0
        assert "Only 0 readings of 2 came within 5 seconds." in counting.sentence(4)


def test_whoever_reads_the_pipe_goes_away(broker: Mosquitto, home: Path, keyring: Path) -> None:
    line = f"{shlex.join([sys.executable, '-m', 'espseal.cli', 'listen', *at(broker)])} | head -n 2"
    env = {"HOME": str(home), "ESPSEAL_KEYRING": str(keyring), "PATH": "/usr/bin:/bin"}
    with Talker(broker, keyring):
        done = subprocess.run(
            ["bash", "-c", line], env=env, capture_output=True, text=True, timeout=60, check=False
        )
    assert len(done.stdout.splitlines()) == 2
    assert "Traceback" not in done.stderr
    assert "Broken pipe" not in done.stderr


# What is stored.


@pytest.mark.parametrize("version", VERSIONS)
def test_only_fresh_readings_are_stored(
    broker: Mosquitto, probe: Probe, home: Path, keyring: Path, version: str
) -> None:
    file = home / "readings.sqlite3"
    options = ("--sqlite", str(file), "--json", "--mqtt-version", version)
    with Command(home, "listen", *at(broker), *options) as command, Talker(broker, keyring):
        wait_for(lambda: len(command.readings()) > 3, "readings")
        probe.send("sensors/kitchen", probe.on("sensors/kitchen")[0])
        probe.send("sensors/kitchen", b"no frame")
        command.wait_for('"duplicate"')
        command.wait_for('"malformed"')
        # What was shown is committed, whatever happens next.
        shown = command.readings()
        assert [row[4] for row in stored(file)][: len(shown)] == shown
        command.process.kill()
        assert command.end() == -signal.SIGKILL
    rows = stored(file)
    assert [row[3] for row in rows] == [str(number).encode() for number in range(len(rows))]
    assert {row[1:3] for row in rows} == {("kitchen", "sensors/kitchen")}
    assert all(row[3].decode() == row[4] for row in rows)
    times = [each["time"] for each in command.records if each["verdict"] == "fresh"]
    assert [row[0] for row in rows][: len(times)] == times
    database = sqlite3.connect(file)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()
    # A second run goes on in the same table.
    with (
        Command(home, "listen", *at(broker), *options, "--count", "2") as command,
        Talker(broker, keyring),
    ):
        assert command.end() == 0
    assert len(stored(file)) == len(rows) + 2


def test_what_is_no_text_is_stored_without_text(
    broker: Mosquitto, home: Path, keyring: Path
) -> None:
    file = home / "readings.sqlite3"
    with (
        Command(home, "listen", *at(broker), "--sqlite", str(file), "--count", "1") as command,
        Talker(broker, keyring, readings=iter([b"\xff\xfe"])),
    ):
        assert command.end() == 0
    assert [row[3:] for row in stored(file)] == [(b"\xff\xfe", None)]


def test_a_file_that_cannot_be_used(broker: Mosquitto, home: Path) -> None:
    letter = home / "letter.txt"
    letter.write_text(
        "Dear Sir or Madam, this is no database, and it is longer than a header.\n" * 20
    )
    other = home / "other.sqlite3"
    database = sqlite3.connect(other)
    database.execute("CREATE TABLE readings (a, b)")
    database.close()
    for file, says in (
        (letter, "is no SQLite database"),
        (other, "no column named time"),
        (home / "nowhere" / "readings.sqlite3", "cannot be opened"),
        (home, "cannot be opened"),
    ):
        with Command(home, "listen", *at(broker), "--sqlite", str(file)) as command:
            said = command.sentence(1)
        assert str(file) in said
        assert says in said
    assert letter.read_text().startswith("Dear")


def test_a_reading_that_cannot_be_stored_ends_it(
    broker: Mosquitto, home: Path, keyring: Path
) -> None:
    file = home / "readings.sqlite3"
    limit = 256 * 1024
    readings = iter([b"x" * 800] * 10**6)
    with (
        Command(
            home, "listen", *at(broker), "--sqlite", str(file), "--memory", "--json"
        ) as command,
        Talker(broker, keyring, readings=readings),
    ):
        command.wait_for("kitchen")
        # As a quota does; the output goes to pipes, which have no size.
        resource.prlimit(command.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
        assert str(file) in command.sentence(1)
    # Shown once more than stored: the one that failed.
    assert len(command.readings()) == len(stored(file)) + 1


def test_the_state_outlives_it(broker: Mosquitto, probe: Probe, home: Path, keyring: Path) -> None:
    state = home / ".local" / "state" / "espseal" / "state.sqlite3"
    with (
        Command(home, "listen", *at(broker), "--json", "--count", "3") as command,
        Talker(broker, keyring),
    ):
        assert command.end() == 0
    assert state.exists()
    frame = probe.on("sensors/kitchen")[2]
    for options, verdict in (
        ((), "duplicate"),
        (("--state", str(home / "another.sqlite3")), "forged"),
        (("--memory",), "forged"),
    ):
        sessions = len(probe.on("sensors/session"))
        with Command(home, "listen", *at(broker), "--json", *options) as command:
            wait_for(_grown(probe, sessions), "a session ID")
            probe.send("sensors/kitchen", frame)
            command.wait_for(f'"{verdict}"')
            assert command.signal() == 130


def _grown(probe: Probe, before: int) -> Callable[[], bool]:
    return lambda: len(probe.on("sensors/session")) > before


def test_a_state_that_cannot_be_used(broker: Mosquitto, home: Path) -> None:
    letter = home / "letter.txt"
    letter.write_text("Dear Sir or Madam, this is no store, and it is longer than a header.\n" * 20)
    with Command(home, "listen", *at(broker), "--state", str(letter)) as command:
        assert str(letter) in command.sentence(1)
    with Command(home, "listen", *at(broker), "--state", "x", "--memory") as command:
        assert "either" in command.sentence(2)


# Several of them.


def test_a_follower_publishes_nothing(
    broker: Mosquitto, probe: Probe, home: Path, keyring: Path
) -> None:
    options = (*at(broker), "--json", "--memory")
    with Command(home, "listen", *options, "--follow") as follower:
        # It is connected, since it answers; and alone it opens nothing.
        probe.send("sensors/kitchen", b"no frame")
        wait_for(lambda: _sent(probe, follower, b"no frame", "malformed"), "an answer")
        assert probe.on("sensors/session") == []
        with Command(home, "listen", *options) as authority, Talker(broker, keyring):
            wait_for(lambda: len(authority.readings()) > 2, "readings")
            wait_for(lambda: len(follower.readings()) > 2, "readings")
            assert follower.signal() == 130
            assert authority.signal() == 130


def _sent(probe: Probe, command: Command, payload: bytes, verdict: str) -> bool:
    probe.send("sensors/kitchen", payload)
    return any(verdict in line for line in command.out)


# Nodes that the keyring does not list.


def strangers(folder: Path) -> Path:
    """A keyring that lists a node more than ours."""
    return write_keyring(folder / "theirs.toml", {"stranger": "99"})


def test_discover_prints_the_command_that_adds_a_node(
    broker: Mosquitto, home: Path, tmp_path: Path
) -> None:
    with Talker(broker, strangers(tmp_path), "stranger"):
        with Command(home, "listen", *at(broker), "--json", "--discover") as command:
            command.wait_for("unknown_device", times=3)
            command.wait_for("Node 99 has the keys of the group house, and is not in the keyring.")
            assert command.signal() == 130
        record = command.records[0]
        assert (record["node_id"], record["group"], record["data"]) == ("99", "house", None)
        lines = [line for line in command.err if "espseal keyring add device" in line]
        assert len(lines) == 1
        words = shlex.split(lines[0].partition("espseal ")[2].replace("NAME", "attic"))
        with Command(home, *words) as adding:
            assert adding.end() == 0
        with Command(home, "listen", *at(broker), "--json", "--count", "1") as command:
            assert command.end() == 0
        assert command.readings("attic")


def test_without_discover_nothing_is_offered(broker: Mosquitto, home: Path, tmp_path: Path) -> None:
    with (
        Talker(broker, strangers(tmp_path), "stranger"),
        Command(home, "listen", *at(broker)) as command,
    ):
        command.wait_for("unknown_device  99 of house: ")
        assert command.signal() == 130
    assert not any("keyring add" in line for line in command.err)


def test_discover_asks_for_a_name(broker: Mosquitto, home: Path, tmp_path: Path) -> None:
    with Talker(broker, strangers(tmp_path), "stranger"):
        output, code = on_a_terminal(
            home,
            *("listen", *at(broker), "--discover", "--count", "2"),
            ask="Its name",
            answer="kitchen\nattic\n",
        )
    assert code == 0, output
    # The first name is taken already.
    assert "kitchen" in output.partition("Its name")[2].partition("Its name")[0]
    assert "Added attic" in output
    names = [each.name for each in espseal.Keyring.load(home / "keyring.toml").devices]
    assert names == ["kitchen", "cellar", "attic"]
    assert_no_key(output)


def test_a_node_need_not_be_named(broker: Mosquitto, home: Path, tmp_path: Path) -> None:
    with Talker(broker, strangers(tmp_path), "stranger"), Talker(broker, home / "keyring.toml"):
        output, code = on_a_terminal(
            home, "listen", *at(broker), "--discover", "--count", "5", ask="Its name", answer="\n"
        )
    assert code == 0, output
    assert output.count("Its name") == 1
    assert "not in the keyring" in output


def test_no_group_yet(home: Path) -> None:
    (home / "keyring.toml").unlink()
    espseal.KeyringFile.create(home / "keyring.toml")
    with Command(home, "listen") as command:
        assert "has no fleet and no group yet" in command.sentence(1)


def test_records_are_one_line_each(broker: Mosquitto, home: Path, keyring: Path) -> None:
    readings = iter([b"two\nlines"])
    with (
        Command(home, "listen", *at(broker), "--json", "--count", "1") as command,
        Talker(broker, keyring, readings=readings),
    ):
        assert command.end() == 0
    assert [json.loads(line)["data"] for line in command.out] == ["two\nlines"]
