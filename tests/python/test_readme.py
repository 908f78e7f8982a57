"""The README's quick start, typed as it stands: the commands, the program, the pretended device.

One thing is exchanged: ``client.connect("localhost")`` becomes the test's own broker.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import espseal
import espseal.paho
from broker import Mosquitto
from support import Probe, wait_for
from test_docs import ROOT, blocks

README = ROOT / "README.md"
YOU = "/home/you"
"""The home of the README's reader."""


def environment(home: Path) -> dict[str, str]:
    """A home of its own, no keyring yet, no colour."""
    ours = {"HOME": str(home), "NO_COLOR": "1"}
    gone = ("ESPSEAL_KEYRING", "XDG_CONFIG_HOME", "COLUMNS", "FORCE_COLOR")
    return {name: text for name, text in os.environ.items() if name not in gone} | ours


def commands() -> list[tuple[str, str]]:
    """Each command of the README's consoles, and the output that is shown with it."""
    found = []
    for block in blocks(README, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.replace("\\\n", "").partition("\n")
            found.append((command, output))
    return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """After the README's commands: each must do, and say, what is shown."""
    typed = [(shlex.split(line), shown) for line, shown in commands()]
    ours = [(words, shown) for words, shown in typed if words[0] == "espseal"]
    assert [words[2] for words, _ in ours] == ["new", "add", "add", "check"]
    for words, shown in ours:
        result = subprocess.run(
            [sys.executable, "-m", "espseal.cli", *words[1:]],
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (result.returncode, result.stderr) == (0, ""), words
        said = [line.rstrip() for line in result.stdout.replace(str(tmp_path), YOU).splitlines()]
        if shown:
            assert said == shown.splitlines()
    return tmp_path


def keyring(home: Path) -> espseal.Keyring:
    return espseal.Keyring.load(home / ".config" / "espseal" / "keyring.toml")


@contextmanager
def running(home: Path, *command: str) -> Iterator[Path]:
    """Runs Python on something; gives the file that it prints to, and stops it at the end."""
    path = home / "output.txt"
    with path.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-u", *command],
            env=environment(home),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            yield path
            assert process.poll() is None, path.read_text()
        finally:
            process.kill()
            process.wait()


def program(broker: Mosquitto) -> str:
    """The README's program, connected to a test's broker."""
    (text,) = blocks(README, "python")
    connect = 'client.connect("localhost")\n'
    assert text.count(connect) == 1
    return text.replace(connect, f"client.connect({broker.host!r}, {broker.port})\n")


def test_every_block_has_a_language() -> None:
    """The README is the crate's front page, where a block without one would be compiled."""
    fences = re.findall(r"^ *```(\w*)", README.read_text(), re.MULTILINE)
    assert fences[1::2] == [""] * (len(fences) // 2)
    assert set(fences[::2]) <= {"console", "lua", "python", "text", "toml"}


def test_the_program_is_short() -> None:
    (text,) = blocks(README, "python")
    assert len(text.splitlines()) <= 15


def test_the_program_prints_what_is_shown(home: Path) -> None:
    (text,) = blocks(README, "python")
    shown = README.read_text().split(text)[1].split("```text\n")[1].split("```")[0]
    folder = home / "broker"
    folder.mkdir()
    device = espseal.Device.from_keyring(keyring(home), "kitchen")
    with (
        Mosquitto(folder) as broker,
        Probe(broker) as probe,
        running(home, "-c", program(broker)) as output,
    ):
        frame = probe.session(device).seal("21.5")
        probe.send("sensors/kitchen", frame)
        probe.send("sensors/kitchen", frame)
        wait_for(lambda: output.read_text().count("\n") >= 2, "two lines")
        assert output.read_text() == shown


def test_the_pretended_device_is_heard(home: Path) -> None:
    folder = home / "broker"
    folder.mkdir()
    (line,) = [each for each, _ in commands() if "pretend_device" in each]
    python, script, *arguments = shlex.split(line)
    assert python == "python"
    receiver = espseal.Receiver(keyring(home), espseal.Store.memory())
    fresh: list[espseal.Message] = []
    with Mosquitto(folder) as broker, Probe(broker) as probe:
        espseal.paho.attach(probe.client, receiver, "sensors/+", on_message=fresh.append)
        extra = ["--host", broker.host, "--port", str(broker.port), "--every", "0.1"]
        with running(home, str(ROOT / script), *arguments, *extra) as output:
            wait_for(lambda: len(fresh) >= 3, "three readings")
            assert "sent 20.1, sealed: 139 bytes" in output.read_text()
    assert {message.device for message in fresh} == {"kitchen"}
    assert len({message.text for message in fresh}) == len(fresh)
