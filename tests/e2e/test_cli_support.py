"""What the tests of the command line on a real broker share: the command as a process, devices."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Self

import paho.mqtt.client as mqtt

import espseal
from broker import Mosquitto
from support import connect, listen, new_client, stop, wait_for

KEYS = {
    "iv_key": "test-only-iv-key",
    "data_key": "test-only-data-k",
    "static_iv": "test-only-static",
    "passphrase": "test only passphrase",
}
SESSION_KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
_DEVICES = {"kitchen": "11242238", "cellar": "1234567"}


def write_keyring(path: Path, devices: dict[str, str] | None = None, options: str = "") -> Path:
    """Writes a keyring of one group on ``sensors/+``, whose nodes take commands.

    Arguments:
        path: the file.
        devices: names and node IDs; without them kitchen and cellar.
        options: more fields of the group.
    """
    keys = "\n".join(f'{name} = {{ text = "{key}" }}' for name, key in KEYS.items())
    text = f"""version = 1
session_key = "{SESSION_KEY}"
[[classic_group]]
name = "house"
topic = "sensors/+"
session_topic = "sensors/session"
command_topic = "commands/{{node_id}}"
command_session_topic = "commands/{{node_id}}/session"
{options}
[classic_group.keys]
{keys}
"""
    for name, node_id in (_DEVICES if devices is None else devices).items():
        text += f'[[device]]\nname = "{name}"\n'
        text += f'classic = {{ group = "house", node_id = "{node_id}" }}\n'
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def assert_no_key(*outputs: str) -> None:
    """No key is in any output, in any form in which it could be seen."""
    for key in [*KEYS.values(), bytes.fromhex(SESSION_KEY).decode("latin-1")]:
        for form in (key, key.encode("latin-1").hex()):
            assert all(form not in output.lower() for output in outputs)


class Command:
    """``espseal`` as a process of its own; a context manager that ends it.

    Arguments:
        home: where its keyring ``keyring.toml`` and its state are.
        words: its command line.
        typed: its input.
        env: more environment variables.
    """

    def __init__(self, home: Path, *words: str, typed: bytes = b"", **env: str) -> None:
        base = {k: v for k, v in os.environ.items() if not k.startswith(("ESPSEAL_", "XDG_"))}
        keyring = str(home / "keyring.toml")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "espseal.cli", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=base | {"HOME": str(home), "ESPSEAL_KEYRING": keyring} | env,
            # Whoever runs the tests in the background ignores it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        assert self.process.stdin is not None
        self.process.stdin.write(typed)
        self.process.stdin.close()
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [
            threading.Thread(target=_collect, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()

    @property
    def records(self) -> list[dict[str, Any]]:
        """What ``--json`` has printed so far."""
        return [json.loads(line) for line in list(self.out)]

    def readings(self, device: str = "kitchen") -> list[str]:
        """The fresh readings among them."""
        fresh = [each for each in self.records if each["verdict"] == "fresh"]
        return [each["data"] for each in fresh if each["device"] == device]

    def wait_for(self, text: str, times: int = 1) -> None:
        """Waits until it has said something, on either output."""
        wait_for(
            lambda: "\n".join([*self.out, *self.err]).count(text) >= times,
            f"{text!r} of {[*self.out, *self.err]}",
        )

    def signal(self, number: signal.Signals = signal.SIGINT) -> int:
        """Sends a signal; returns as `end` does."""
        self.process.send_signal(number)
        return self.end()

    def end(self) -> int:
        """Waits for its end; its exit code. Checks what holds for every end."""
        code = self.process.wait(60)
        for reader in self._readers:
            reader.join(60)
        assert "Traceback" not in "\n".join(self.err), self.err
        assert_no_key(*self.out, *self.err)
        return code

    def sentence(self, code: int) -> str:
        """The one sentence with which it ended."""
        assert self.end() == code, (self.out, self.err)
        said = [line for line in self.err if line.startswith("espseal: ")]
        assert len(said) == 1, self.err
        assert said[0].endswith((".", "?")) or ": " in said[0]
        return said[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.end()


def _collect(stream: IO[bytes], lines: list[str]) -> None:
    with stream:
        for line in stream:
            lines.append(line.decode().rstrip("\n"))


class Talker:
    """A device that publishes 0, 1, 2 ... as soon as it hears a session ID; a context manager.

    Arguments:
        broker: what it connects to.
        keyring: whose device it is.
        name: which one.
        numbers: makes its readings.
    """

    def __init__(
        self,
        broker: Mosquitto,
        keyring: Path,
        name: str = "kitchen",
        *,
        readings: Iterator[bytes] | None = None,
    ) -> None:
        self._broker = broker
        self._device = espseal.Device.from_keyring(espseal.Keyring.load(keyring), name)
        self._topic = f"sensors/{name}"
        self._readings = readings or (str(number).encode() for number in range(10**6))
        self._ended = threading.Event()
        self._heard = threading.Event()
        self.client = new_client()
        self.client.on_connect = self._connected
        self.client.on_message = self._hear
        self._thread = threading.Thread(target=self._talk, daemon=True)

    def _connected(self, *_: object) -> None:
        self.client.subscribe("sensors/session")

    def _hear(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        if self._device.hear(message.payload):
            self._heard.set()

    def _talk(self) -> None:
        while not self._ended.wait(0.03):
            if self._heard.is_set() and self.client.is_connected():
                reading = next(self._readings, None)
                if reading is not None:
                    self.client.publish(self._topic, self._device.seal(reading), 1)

    def __enter__(self) -> Self:
        connect(self.client, self._broker)
        listen(self.client)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()
        stop(self.client)


class Node:
    """A device that takes commands; a context manager."""

    def __init__(self, broker: Mosquitto, keyring: Path, name: str = "kitchen") -> None:
        self._broker = broker
        loaded = espseal.Keyring.load(keyring)
        self._device = espseal.Device.from_keyring(loaded, name)
        self._topic = next(f"commands/{d.node_id}" for d in loaded.devices if d.name == name)
        self.commands: list[tuple[str, bytes | None]] = []
        self.client = new_client()
        self.client.on_connect = self._connected
        self.client.on_message = self._take

    def show_session(self) -> None:
        """Draws a session and shows it."""
        session = self._device.draw_command_session()
        self.client.publish(f"{self._topic}/session", session, 1, True)

    def _connected(self, *_: object) -> None:
        self.client.subscribe(self._topic, 1)
        self.show_session()

    def _take(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        opened = self._device.open(message.payload, topic=message.topic)
        self.commands.append((opened.verdict.value, opened.data))
        self.show_session()

    def __enter__(self) -> Self:
        connect(self.client, self._broker)
        listen(self.client)
        return self

    def __exit__(self, *error: object) -> None:
        stop(self.client)


def new_home(folder: Path) -> Path:
    """A home with a keyring in it."""
    home = folder / "home"
    home.mkdir()
    write_keyring(home / "keyring.toml")
    return home


def at(broker: Mosquitto) -> tuple[str, ...]:
    """The options that name a broker."""
    return "--host", broker.host, "--port", str(broker.port)
