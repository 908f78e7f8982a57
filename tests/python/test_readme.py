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
    # What is sent wants a device that listens: a test of its own.
    offline = [(words, shown) for words, shown in ours if words[1] != "send"]
    assert [words[1] for words, _ in offline] == [
        *("keyring", "fleet", "device", "provision", "provision", "keyring", "keyring")
    ]
    for words, shown in offline:
        said = [line.rstrip() for line in espseal_says(tmp_path, *words[1:]).splitlines()]
        if shown:
            assert said == shown.splitlines()
    return tmp_path


def espseal_says(home: Path, *words: str) -> str:
    """What the command prints, which must succeed."""
    result = subprocess.run(
        [sys.executable, "-m", "espseal.cli", *words],
        cwd=home,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, ""), words
    return result.stdout.replace(str(home), YOU)


def keyring(home: Path) -> espseal.Keyring:
    return espseal.Keyring.load(home / ".config" / "espseal" / "keyring.toml")


@contextmanager
def running(home: Path, *command: str) -> Iterator[Path]:
    """Runs Python on something; gives the file that it prints to, and stops it at the end."""
    path = home / "output.txt"
    with path.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-u", *command],
            cwd=home,
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


def device_file() -> str:
    """The name of its provisioning file; the README's own has no broker but localhost's."""
    (line,) = [each for each, _ in commands() if "--format json" in each]
    (run,) = [each for each, _ in commands() if each.startswith("python ")]
    assert shlex.split(line)[-2:] == ["--format", "json"]
    assert shlex.split(run) == ["python", "examples/linux_device.py", "kitchen.json"]
    return shlex.split(run)[-1]


def test_program_device_and_command(home: Path) -> None:
    (text,) = blocks(README, "python")
    shown = README.read_text().split(text)[1].split("```text\n")[1].split("```")[0]
    reading, refusal = shown.splitlines()
    folder = home / "broker"
    folder.mkdir()
    (address,) = [each.address for each in keyring(home).devices if each.address]
    up = f"espseal/{address}/up"
    other = home / "device"
    other.mkdir()
    with Mosquitto(folder) as broker, Probe(broker) as probe:
        reached = ("--mqtt-host", broker.host, "--mqtt-port", str(broker.port), "--force")
        espseal_says(home, "provision", "kitchen", "--format", "json", *reached)
        example = str(ROOT / "examples" / "linux_device.py")
        with running(home, "-c", program(broker)) as output:
            wait_for(lambda: probe.arrivals, "a beacon")
            with running(other, example, str(home / device_file()), "--every", "0.3") as printed:
                wait_for(lambda: output.read_text().count("kitchen ") >= 3, "three readings")
                first = output.read_text().splitlines()[0]
                number = reading.removeprefix("kitchen ")
                assert first == f"kitchen {float(first.removeprefix('kitchen ')):.2f}"
                float(number)
                probe.send(up, probe.on(up)[-1])
                wait_for(lambda: "refused" in output.read_text(), "a refusal")
                assert refusal in output.read_text().splitlines()
                (line,) = [shlex.split(each) for each, _ in commands() if "espseal send" in each]
                at = ("--host", broker.host, "--port", str(broker.port))
                espseal_says(home, *line[1:], *at)
                wait_for(lambda: "command" in printed.read_text(), "the command")
                assert printed.read_text() == f"command: {line[-1]}\n"


def test_the_classic_device_is_heard(home: Path) -> None:
    folder = home / "broker"
    folder.mkdir()
    receiver = espseal.Receiver(keyring(home), espseal.Store.memory())
    fresh: list[espseal.Message] = []
    with Mosquitto(folder) as broker, Probe(broker) as probe:
        espseal.paho.attach(probe.client, receiver, on_message=fresh.append)
        script = str(ROOT / "examples" / "pretend_device.py")
        extra = ["--host", broker.host, "--port", str(broker.port), "--every", "0.1"]
        with running(home, script, "cellar", "sensors/cellar", *extra) as output:
            wait_for(lambda: len(fresh) >= 3, "three readings")
            # What it measured before it heard a session ID is gone.
            sent = re.findall(
                r"^sent (2\d\.\d), sealed: 139 bytes$", output.read_text(), re.MULTILINE
            )
            assert sent[:3] == [message.text for message in fresh[:3]]
    assert {message.device for message in fresh} == {"cellar"}
    assert len({message.text for message in fresh}) == len(fresh)
