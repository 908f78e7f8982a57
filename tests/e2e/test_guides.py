"""Every command of the guides in docs/, typed as it stands, on a real broker.

Exchanged are only ports, the broker's name and the folders of the system. What needs root or
systemd is in `REPLACED`, with the reason; any other command is run.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import paho.mqtt.client as mqtt
import pytest

import espseal
from broker import Mosquitto
from support import listen, new_client, stop, wait_for
from test_cli_support import write_keyring

ROOT = Path(__file__).resolve().parents[2]
ARTICLE = ROOT / "docs" / "article-devices.md"
MOSQUITTO = ROOT / "docs" / "mosquitto.md"
FIXTURES = Path(__file__).resolve().parent / "guides"
DEADLINE = 120.0

INSTALL = "sudo apt-get install mosquitto mosquitto-clients"
RESTART = "sudo systemctl restart mosquitto"
_CHOWN = "needs root and the user mosquitto; this broker runs as whoever runs the tests"
REPLACED = {
    INSTALL: "needs root and the network; the first command that needs it fails without",
    RESTART: "needs systemd; the test ends mosquitto and starts it with that configuration",
    "sudo chown mosquitto: /etc/mosquitto/passwd": _CHOWN,
    "sudo chown mosquitto: /etc/mosquitto/acl": _CHOWN,
    "sudo chown mosquitto: /etc/mosquitto/certs/broker.key": _CHOWN,
}
"""What is not run as it stands, and why."""

ENDLESS = {
    "espseal listen --discover": "espseal keyring add device NAME --group house --node-id 9032417",
    "espseal listen": "  kitchen  21.",
    "espseal listen --sqlite readings.sqlite3": "  kitchen  21.",
    "python receive.py": "kitchen 21.",
    "espseal listen --follow --state follower.sqlite3": "  kitchen  21.",
}
"""What runs until Ctrl-C, and what it has to say before."""

EXITS = {"mosquitto_pub -t sensors/kitchen -m hello": 5}
"""What is meant to fail, and how."""


def blocks(document: Path) -> list[tuple[str, str]]:
    """The fenced blocks, each with its language."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[tuple[str, str]]:
    """Each command of a console block, and the output that is shown with it."""
    assert block.startswith("$ "), block
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(line, shown) for line, _, shown in (part.partition("\n") for part in parts)]


def typed(document: Path) -> list[str]:
    """All commands of a document."""
    return [
        line for tag, text in blocks(document) if tag == "console" for line, _ in commands(text)
    ]


class Shell:
    """Someone at a shell, with a home of their own.

    Arguments:
        folder: gets the home.
        host: of the broker.
        port: of the broker.
        exchanged: what stands in the guide, and what stands here instead of it.
    """

    def __init__(self, folder: Path, host: str, port: int, exchanged: dict[str, str]) -> None:
        self.home = folder / "home"
        self._exchanged = exchanged
        programs = folder / "bin"
        config = self.home / ".config"
        config.mkdir(parents=True)
        programs.mkdir()
        for name in ("mosquitto_pub", "mosquitto_sub"):
            (config / name).write_text(f"-h {host}\n-p {port}\n")
        for name, line in {
            "espseal": f'"{sys.executable}" -m espseal.cli "$@"',
            "python": f'"{sys.executable}" "$@"',
            "sudo": '"$@"',
        }.items():
            program = programs / name
            program.write_text(f"#!/bin/sh\nexec {line}\n")
            program.chmod(0o755)
        gone = ("ESPSEAL_", "XDG_", "COLUMNS", "FORCE_COLOR")
        self._env = {k: v for k, v in os.environ.items() if not k.startswith(gone)} | {
            "HOME": str(self.home),
            "PATH": f"{programs}:{os.environ['PATH']}:/usr/sbin",
            "ESPSEAL_MQTT_HOST": host,
            "ESPSEAL_MQTT_PORT": str(port),
            "NO_COLOR": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def here(self, text: str) -> str:
        """A text of the guide, with what is exchanged."""
        if not self._exchanged:
            return text
        pattern = "|".join(map(re.escape, self._exchanged))
        return re.sub(pattern, lambda match: self._exchanged[match[0]], text)

    def run(self, line: str, shown: str = "", code: int = 0) -> str:
        """Runs a command to its end; checks its exit code, and its output if one is shown."""
        result = subprocess.run(
            ["bash", "-o", "pipefail", "-c", self.here(line)],
            cwd=self.home,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        assert result.returncode == EXITS.get(line, code), (line, result.stdout)
        # To say nothing is how Mosquitto's clients say that all is well.
        if shown or line.startswith("mosquitto_pub") or line.endswith(" -E"):
            assert result.stdout == shown, line
        return result.stdout

    @contextmanager
    def running(self, line: str, awaited: str, output: str = "output.txt") -> Iterator[None]:
        """Runs a command, once it has said something until the end of the `with`; then Ctrl-C."""
        path = self.home / output
        with path.open("wb") as file:
            process = subprocess.Popen(
                ["bash", "-c", self.here(line)],
                cwd=self.home,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # Whoever runs the tests in the background ignores it.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            )
            try:
                wait_for(
                    lambda: awaited in path.read_text() or process.poll() is not None,
                    f"{awaited!r} of {line}",
                    DEADLINE,
                )
                assert awaited in path.read_text(), (line, path.read_text())
                yield
                os.killpg(process.pid, signal.SIGINT)
                assert process.wait(DEADLINE) in (130, -signal.SIGINT), path.read_text()
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


class ArticleDevice:
    """A device as in the article: QoS 2, retained, one topic of its own; a context manager.

    Arguments:
        port: of the broker, on this computer.
        device: seals.
        topic: where it publishes.
        login: user name and password.
        retain: whether the broker keeps the last reading.
    """

    def __init__(
        self,
        port: int,
        device: espseal.Device,
        topic: str,
        login: tuple[str, str] | None = None,
        *,
        retain: bool = True,
    ) -> None:
        self._port = port
        self._device = device
        self._topic = topic
        self._retain = retain
        self._heard = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._client = new_client()
        if login is not None:
            self._client.username_pw_set(*login)
        self._client.on_connect = self._connected
        self._client.on_message = self._hear

    def _connected(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe(self._device.session_topic or "", 1)

    def _hear(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        if self._device.hear(message.payload):
            self._heard.set()

    def _talk(self) -> None:
        count = 0
        while not self._ended.wait(0.1):
            if self._heard.is_set() and self._client.is_connected():
                frame = self._device.seal(f"21.{count}")
                self._client.publish(self._topic, frame, 2, self._retain)
                count += 1

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        listen(self._client)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()
        stop(self._client)


# "I have the article's devices".


def sketch() -> str:
    """The lines with the keys, out of the guide."""
    (text,) = [text for tag, text in blocks(ARTICLE) if tag == "lua"]
    return text


def sketch_keys() -> dict[str, str]:
    """The keys as the device has them: by the names of the keyring."""
    found = dict(re.findall(r'^(\w+) = "(.*)"$', sketch(), re.MULTILINE))
    names = ("static_iv", "iv_key", "data_key", "passphrase")
    return {name: found[name.replace("_", "")] for name in names}


def device_of_sketch(folder: Path, name: str, node_id: str) -> espseal.Device:
    """A device with those keys. Its file is not made by what is tested here."""
    path = folder / f"{name}.toml"
    path.touch(mode=0o600)
    keys = "\n".join(f'{key} = {{ text = "{value}" }}' for key, value in sketch_keys().items())
    path.write_text(
        f'version = 1\nname = "{name}"\n[classic]\nnode_id = "{node_id}"\n'
        f'topic = "sensors/{name}"\nsession_topic = "sensors/session"\n'
        f"[classic.keys]\n{keys}\n"
    )
    return espseal.Device.load(path)


def add_field(keyring: Path, line: str) -> None:
    """Adds a line to the first group of a keyring, where the guide says."""
    before = "[classic_group.keys]\n"
    keyring.write_text(keyring.read_text().replace(before, f"{line.strip()}\n{before}", 1))


def test_every_command_of_the_article_guide(broker: Mosquitto, tmp_path: Path) -> None:
    shell = Shell(tmp_path, broker.host, broker.port, {})
    keyring = shell.home / ".config" / "espseal" / "keyring.toml"
    (shell.home / "printed.lua").write_text((FIXTURES / "printed.lua").read_text())
    connect = 'client.connect("localhost")\n'
    with ExitStack() as stack:
        # kitchen is in the guide's keyring, cellar is what --discover finds.
        for name, node_id in {"kitchen": "11242238", "cellar": "9032417"}.items():
            device = device_of_sketch(tmp_path, name, node_id)
            stack.enter_context(ArticleDevice(broker.port, device, f"sensors/{name}"))
        for tag, text in blocks(ARTICLE):
            if tag == "lua":
                (shell.home / "sketch.lua").write_text(text)
            elif tag == "cpp":
                (shell.home / "Sensor.ino").write_text(text)
            elif tag == "python":
                assert text.count(connect) == 1
                here = f"client.connect({broker.host!r}, {broker.port})\n"
                (shell.home / "receive.py").write_text(text.replace(connect, here))
            else:
                # The others are tried by `test_what_may_differ`.
                assert tag in ("console", "toml")
            for line, shown in commands(text) if tag == "console" else []:
                if line not in ENDLESS:
                    shell.run(line, shown)
                elif "--follow" in line:
                    # There is an authority elsewhere.
                    with (
                        authority(tmp_path, shell, broker),
                        shell.running(line, ENDLESS[line]),
                    ):
                        pass
                else:
                    with shell.running(line, ENDLESS[line]):
                        pass
                if "import sketch.lua" in line:
                    # So that a follower need not wait for half a minute.
                    add_field(keyring, "session_interval = 1")
    known = espseal.Keyring.load(keyring)
    assert [group.name for group in known.groups] == ["house", "old", "port"]
    assert [device.name for device in known.devices] == ["kitchen", "attic"]


@contextmanager
def authority(folder: Path, shell: Shell, broker: Mosquitto) -> Iterator[None]:
    """The other computer, with a copy of the keyring."""
    place = folder / "authority"
    place.mkdir()
    other = Shell(place, broker.host, broker.port, {})
    path = Path(".config", "espseal", "keyring.toml")
    (other.home / path).parent.mkdir()
    (other.home / path).touch(mode=0o600)
    (other.home / path).write_text((shell.home / path).read_text())
    with other.running("espseal listen", ENDLESS["espseal listen"]):
        yield


def test_printed_keys_are_refused_without_the_option(tmp_path: Path) -> None:
    shell = Shell(tmp_path, "localhost", 1883, {})
    (shell.home / "printed.lua").write_text((FIXTURES / "printed.lua").read_text())
    (line,) = [each for each in typed(ARTICLE) if "printed.lua" in each]
    shell.run("espseal keyring new")
    said = shell.run(line.replace(" --allow-article-keys", ""), code=1)
    assert "is printed in the article" in said
    shell.run(line)


class House:
    """A keyring with the sketch's keys, more fields, and its receiver."""

    def __init__(self, folder: Path, line: str = "") -> None:
        path = folder / "keyring.toml"
        path.unlink(missing_ok=True)
        file = espseal.KeyringFile.create(path)
        file.add_group(
            "house",
            topic="sensors/+",
            session_topic="sensors/session",
            keys=espseal.ClassicKeys(**{k: v.encode() for k, v in sketch_keys().items()}),
        )
        file.add_device("kitchen", group="house", node_id="11242238")
        add_field(path, line)
        self.keyring = espseal.Keyring.load(path)
        self.receiver = espseal.Receiver(self.keyring, espseal.Store.memory())
        self.device = espseal.Device.from_keyring(self.keyring, "kitchen")

    def hear(self, *others: espseal.Device) -> "House":
        """Lets the device, and others, hear the session ID."""
        for each in self.receiver.publications():
            for device in (self.device, *others):
                assert device.hear(each.payload)
        return self

    def open(self, frame: bytes) -> espseal.Message:
        """Opens a frame of the device."""
        return self.receiver.open(frame, topic="sensors/kitchen")


FIELDS = [text for tag, text in blocks(ARTICLE) if tag == "toml"]


def test_every_field_is_tried() -> None:
    tried = ["data", "mac", "policy", "danger_accept_replays"]
    assert [line.split(" = ")[0] for line in FIELDS] == tried


@pytest.mark.parametrize("line", FIELDS)
def test_what_may_differ(line: str, tmp_path: Path) -> None:
    """Each field does what the guide says, and it is needed for that."""
    house = House(tmp_path, line)
    session_needed = not line.startswith("danger")
    if session_needed:
        house.hear()
    reading = b"\xff\x00" if line.startswith("data") else b"21.5"
    frame, another = house.device.seal(reading), house.device.seal(b"21.6")
    opened = house.open(frame)
    assert (opened.verdict, opened.data) == (espseal.Verdict.FRESH, reading)
    assert opened.replay_protected is session_needed
    assert (house.open(another).verdict == "fresh") is not line.startswith("policy")
    if line.startswith(("data", "mac")):
        # Without it such a frame does not open.
        differs = house.device
        assert House(tmp_path).hear(differs).open(differs.seal(reading)).verdict == "forged"
    if line.startswith("danger"):
        assert House(tmp_path).open(frame).verdict == "stale_session"


def test_raw_frames_need_no_field(tmp_path: Path) -> None:
    house = House(tmp_path)
    raw = House(tmp_path, "")
    path = Path(raw.keyring.path or "")
    path.write_text(path.read_text().replace('layout = "hex"\n', ""))
    add_field(path, 'layout = "raw"')
    device = espseal.Device.from_keyring(espseal.Keyring.load(path), "kitchen")
    house.hear(device)
    frame = device.seal("21.5")
    assert len(frame) == 16 * 3 + 3 + 40
    assert house.open(frame).text == "21.5"


# "Mosquitto for your devices".


def files(system: Path) -> dict[str, Path]:
    """Where each configuration block goes, by its first line; a further one is added below."""
    devices = system / "conf.d" / "devices.conf"
    return {
        "listener 1883": devices,
        "# your program": system / "acl",
        "acl_file /etc/mosquitto/acl": devices,
        "listener 8883": system / "conf.d" / "tls.conf",
        "persistence true": system / "mosquitto.conf",
        "autosave_interval 60": devices,
        "allow_anonymous true": devices,
        "# devices without a password": system / "acl",
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_every_command_of_the_mosquitto_guide(tmp_path: Path) -> None:
    # Debian's mosquitto.conf is where this broker has its own.
    system = tmp_path / "mosquitto"
    for folder in (system, system / "conf.d", system / "certs", tmp_path / "lib"):
        folder.mkdir()
    broker = Mosquitto(system)
    exchanged = {
        "/etc/mosquitto": str(system),
        "/var/lib/mosquitto": str(tmp_path / "lib"),
        "1883": str(broker.port),
        "8883": str(free_port()),
        "broker.example": "localhost",
    }
    shell = Shell(tmp_path, "localhost", broker.port, exchanged)
    keyring = shell.home / ".config" / "espseal" / "keyring.toml"
    keyring.parent.mkdir()
    write_keyring(keyring)
    device = espseal.Device.from_keyring(espseal.Keyring.load(keyring), "kitchen")
    places = files(system)
    (debian,) = [text for _, text in blocks(MOSQUITTO) if text.startswith("persistence true")]
    # Started by root it would become the user mosquitto, who may not read the test's folder.
    (system / "mosquitto.conf").write_text(shell.here(debian) + "user root\n")

    with ExitStack() as stack:
        for tag, text in blocks(MOSQUITTO):
            if tag == "text":
                path = places.pop(text.splitlines()[0])
                before = path.read_text() if path.exists() else ""
                at_the_top = text.startswith("# devices without a password")
                if text != debian:
                    here = shell.here(text)
                    path.write_text(here + before if at_the_top else before + here)
                continue
            assert tag == "console"
            for line, shown in commands(text):
                if line == RESTART:
                    broker.stop()
                    broker.start()
                    stack.callback(broker.stop)
                elif line in REPLACED:
                    assert shown == ""
                elif line.startswith("espseal listen"):
                    login = ("kitchen", (shell.home / "kitchen.password").read_text().strip())
                    with ArticleDevice(broker.port, device, "sensors/kitchen", login, retain=False):
                        shell.run(line, shown)
                else:
                    shell.run(line, shown)
    assert not places
    assert (tmp_path / "lib" / "mosquitto.db").exists()


def test_no_command_is_replaced_that_the_guides_do_not_have() -> None:
    lines = {*typed(ARTICLE), *typed(MOSQUITTO)}
    assert lines >= {*REPLACED, *ENDLESS, *EXITS}
    assert {line for line in lines if re.search(r"systemctl|chown|apt-get", line)} == {*REPLACED}


def test_the_guide_has_the_permissions_of_the_security_page() -> None:
    (acl,) = [text for _, text in blocks(ROOT / "SECURITY.md") if "pattern write" in text]
    assert ("text", acl) in blocks(MOSQUITTO)
    readme = [text for tag, text in blocks(ROOT / "README.md") if tag == "text"]
    assert blocks(MOSQUITTO)[1][1] in readme


def test_what_waited_over_a_restart_of_the_program_is_stale(tmp_path: Path) -> None:
    house = House(tmp_path)
    store = tmp_path / "state.sqlite3"
    house.receiver = espseal.Receiver(house.keyring, espseal.Store.sqlite(store))
    frame = house.hear().device.seal("21.5")
    house.receiver = espseal.Receiver(house.keyring, espseal.Store.sqlite(store))
    assert house.open(frame).verdict == "stale_session"
