"""What the Lua tests share: a bench for scripts, a real broker, a host that opens frames."""

import hmac
import os
import socket
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from broker import Mosquitto
from espseal.simulator import LuaVersion, firmware_files
from espseal.simulator.board import Board
from espseal.simulator.loop import Loop
from espseal.simulator.machine import Machine

KEYS = {
    "iv_key": b"iv key: 16 bytes",
    "data_key": b"data key \xff\x00 here",
    "static_iv": b"static \x80 IV here",
    "passphrase": b"a passphrase",
}
SESSIONS = ["5f1d7a84c2b3e6905f1d7a84c2b3e690", "00112233445566778899aabbccddeeff"]
TOPIC, SESSION_TOPIC = "sensors/one", "sensors/session"

LUA_KEYS = ", ".join(f'{name} = {{hex = "{key.hex()}"}}' for name, key in KEYS.items())
"""`KEYS` as the fields of a Lua table."""

_PATIENCE = 10.0
_NUMBERS = count()


@pytest.fixture(params=["5.1", "5.3"])
def lua(request: pytest.FixtureRequest) -> LuaVersion:
    """Both builds of Lua."""
    version: LuaVersion = request.param
    return version


@pytest.fixture(autouse=True)
def _nothing_left_running() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before, "a thread outlived its test"


class Bench:
    """Runs Lua on the shims, without a thread: for what needs no event."""

    def __init__(self, version: LuaVersion) -> None:
        self.loop = Loop()
        self.lines: list[str] = []
        self.board = Board(11242238, version, lambda: 512, self.lines.append, 1460, 0.0)
        self.board.power_on()
        for name, text in firmware_files().items():
            self.board.flash[name.encode()] = text
        for path in Path(__file__).parent.glob("*.lua"):
            self.board.flash[path.name.encode()] = path.read_bytes()
        self.machine = Machine(self.board, self.loop)

    def run(self, script: str) -> Any:  # noqa: ANN401 - a Lua value
        """Runs a script; returns what it returns. Raises `ScriptError`."""
        self.board.flash[b"test.lua"] = script.encode("latin-1")
        return self.machine.lua.run_file("test.lua")

    def events(self, seconds: float) -> None:
        """Lets events happen for a time."""
        end = self.loop.now() + seconds
        self.loop.later(seconds, lambda: None)
        self.loop.run(lambda: self.loop.now() >= end or self.machine.end is not None)

    def reset(self) -> None:
        """Resets the board: a new Lua, the same flash and RTC memory."""
        self.machine.switch_off()
        self.machine = Machine(self.board, self.loop)

    def close(self) -> None:
        """Frees everything."""
        self.machine.switch_off()
        self.loop.close()


@pytest.fixture
def bench(lua: LuaVersion) -> Iterator[Bench]:
    """A bench under each build of Lua."""
    made = Bench(lua)
    yield made
    made.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running broker, which keeps its retained messages over a restart."""
    with Mosquitto(tmp_path, persistence=True) as made:
        yield made


class Host:
    """A host: publishes session IDs, opens what arrives. Shares no code with the firmware."""

    def __init__(self, port: int, topic: str = TOPIC) -> None:
        self._port = port
        self._topic = topic
        self._changed = threading.Condition()
        self._connected = False
        self._frames: list[bytes] = []
        # The broker keeps its session, of which each host has its own.
        name = f"host {next(_NUMBERS)}"
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        self.wait_connected()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def wait_connected(self) -> None:
        """Waits until it listens."""
        self._wait(lambda: self._connected, "the host does not connect")

    def say(self, payload: str | bytes, *, topic: str = SESSION_TOPIC, retain: bool = True) -> None:
        """Publishes; by default a session ID. Returns when the broker has it."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(_PATIENCE)

    @property
    def frames(self) -> list[bytes]:
        """The frames so far, copies included."""
        with self._changed:
            return list(self._frames)

    def readings(self, *sessions: str) -> list[bytes]:
        """The data of all frames so far, each frame once however many copies came."""
        return [open_frame(frame, *(sessions or SESSIONS)) for frame in dict.fromkeys(self.frames)]

    def wait_readings(self, number: int, timeout: float = 15.0) -> list[bytes]:
        """Waits for so many different frames."""
        self.wait_different(number, timeout)
        return self.readings()

    def wait_different(self, number: int, timeout: float = 15.0) -> None:
        """Waits for so many different payloads, whatever they are."""
        self._wait(
            lambda: len(set(self._frames)) >= number, f"fewer than {number} frames", timeout=timeout
        )

    def wait_frames(self, number: int) -> list[bytes]:
        """Waits for so many frames, copies included."""
        self._wait(lambda: len(self._frames) >= number, f"fewer than {number} frames")
        return self.frames

    def wait_last(self, first: bytes, last: bytes) -> None:
        """Waits until one frame has come, and another one after it as the last."""
        self._wait(
            lambda: first in self._frames and self._frames[-1] == last, f"no {last!r} at the end"
        )

    def wait_reading(self, reading: bytes, session: str) -> None:
        """Waits for a reading that was sealed under a session."""
        self._wait(
            lambda: any(try_open(frame, session) == reading for frame in self._frames),
            f"no reading {reading!r} under {session}",
        )

    def _wait(self, condition: Callable[[], bool], complaint: str, timeout: float = 15.0) -> None:
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                pytest.fail(f"{complaint}: {self._frames}")

    def _on_connect(self, client: Client, *_: object) -> None:
        client.subscribe(self._topic, qos=2)

    def _on_subscribe(self, *_: object) -> None:
        with self._changed:
            self._connected = True
            self._changed.notify_all()

    def _on_disconnect(self, *_: object) -> None:
        with self._changed:
            self._connected = False

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        with self._changed:
            self._frames.append(bytes(message.payload))
            self._changed.notify_all()


@pytest.fixture
def host(broker: Mosquitto) -> Iterator[Host]:
    """A host at the broker, which has published no session ID."""
    with Host(broker.port) as made:
        yield made


def open_frame(frame: bytes, *sessions: str) -> bytes:
    """The data of a hex frame under `KEYS`; fails if it does not verify."""
    data = try_open(frame, *sessions)
    if data is None:
        pytest.fail(f"a frame verifies under no session: {frame!r}")
    return data


def try_open(frame: bytes, *sessions: str) -> bytes | None:
    """The data of a hex frame under `KEYS`, or None if it does not verify."""
    enc_iv, enc_node, enc_data, mac = (bytes.fromhex(f.decode()) for f in frame.split(b","))
    iv = _decrypt(KEYS["iv_key"], KEYS["static_iv"], enc_iv)
    node_id = _decrypt(KEYS["data_key"], iv, enc_node).rstrip(b"\0")
    data = _decrypt(KEYS["data_key"], iv, enc_data).rstrip(b"\0")
    for session in sessions:
        text = node_id + iv + data + session.encode()
        if hmac.compare_digest(hmac.digest(KEYS["passphrase"], text, "sha1"), mac):
            return data
    return None


def seal_frame(who: bytes, data: bytes, session: bytes, *, raw: bool = False) -> bytes:
    """A frame under `KEYS`; ``who`` is its whole node field."""
    iv = os.urandom(8).hex().encode()
    fields = (
        _encrypt(KEYS["iv_key"], KEYS["static_iv"], iv),
        _encrypt(KEYS["data_key"], iv, who),
        _encrypt(KEYS["data_key"], iv, data),
    )
    mac = hmac.digest(KEYS["passphrase"], who + iv + data + session, "sha1").hex().encode()
    return b",".join([*(field if raw else field.hex().encode() for field in fields), mac])


def in_raw(frame: bytes) -> bytes:
    """A hex frame in the other layout."""
    fields = frame.split(b",")
    return b",".join([*(bytes.fromhex(field.decode()) for field in fields[:3]), fields[3]])


def _encrypt(key: bytes, iv: bytes, text: bytes) -> bytes:
    encryptor = Cipher(AES(key), CBC(iv)).encryptor()
    return encryptor.update(text + bytes(-len(text) % 16)) + encryptor.finalize()


def _decrypt(key: bytes, iv: bytes, text: bytes) -> bytes:
    decryptor = Cipher(AES(key), CBC(iv)).decryptor()
    return decryptor.update(text) + decryptor.finalize()


class Proxy:
    """Between node and broker: passes everything on, or swallows what the broker answers."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.swallow = threading.Event()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(_PATIENCE)

    def cut(self) -> None:
        """Ends all connections, the answers that were swallowed lost for good."""
        for pair in self._pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the other side was faster
        self.swallow.clear()

    def _accept(self) -> None:
        while True:
            try:
                node, _ = self._listener.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self._target))
            self._pairs.append((node, there))
            for source, target, answers in ((node, there, False), (there, node, True)):
                thread = threading.Thread(target=self._pump, args=(source, target, answers))
                self._threads.append(thread)
                thread.start()

    def _pump(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with source:
            while True:
                try:
                    data = source.recv(4096)
                    if not (answers and self.swallow.is_set()):
                        target.sendall(data)
                except OSError:
                    return
                if not data:
                    try:
                        target.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        return
                    return


@pytest.fixture
def proxy(broker: Mosquitto) -> Iterator[Proxy]:
    """A proxy in front of the broker."""
    with Proxy(broker.port) as made:
        yield made
