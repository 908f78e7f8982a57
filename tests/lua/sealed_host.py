"""A host for sealed devices, made for these tests: shares no code with espseal."""

import hmac
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from itertools import count
from types import TracebackType
from typing import Self

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

ADDRESS = bytes.fromhex("00112233445566aa")
DEVICE_KEY = bytes(range(0x40, 0x60))
BEACON_TOPIC = "espseal/home/beacon"

_NUMBERS = count()
_PATIENCE = 15.0


class Kind(IntEnum):
    """Of a frame, as it stands in the flags."""

    DATA = 0
    HELLO = 1
    CONTROL = 2


class Op(IntEnum):
    """The first byte of a control frame."""

    RATCHET = 1
    ACK = 2
    WELCOME = 3
    QUERY_MODE = 4
    SET_MODE = 5
    MODE = 6


def expand(key: bytes, info: bytes) -> bytes:
    """HKDF-Expand with SHA-256, 32 bytes."""
    return hmac.digest(key, info + b"\1", "sha256")


def key_of(epoch: int, key: bytes = DEVICE_KEY) -> bytes:
    """The device key of an epoch."""
    for _ in range(epoch):
        key = expand(key, b"ratchet")
    return key


@dataclass(frozen=True)
class Frame:
    """What a frame says."""

    kind: Kind
    downlink: bool
    epoch: int
    counter: int
    session: bytes
    plaintext: bytes
    address: bytes = ADDRESS

    def header(self) -> bytes:
        """Bytes 0 to 19."""
        flags = self.downlink | (self.session != b"") << 1 | self.kind << 2
        start = b"\xf5" + bytes([flags]) + self.epoch.to_bytes(2, "big")
        return start + self.address + self.counter.to_bytes(8, "big")

    def seal(self, device_key: bytes = DEVICE_KEY) -> bytes:
        """The frame under the device key of epoch 0."""
        direction = b"downlink" if self.downlink else b"uplink"
        siv = AESSIV(expand(key_of(self.epoch, device_key), direction))
        header = self.header()
        return header + siv.encrypt(self.plaintext, [header, self.session, b""])


def open_frame(data: bytes, *sessions: bytes, device_key: bytes = DEVICE_KEY) -> Frame | None:
    """What it says, if it verifies unbound or under one of the sessions."""
    flags, epoch = data[1], int.from_bytes(data[2:4], "big")
    assert (data[0], flags >> 4) == (0xF5, 0)
    direction = b"downlink" if flags & 1 else b"uplink"
    siv = AESSIV(expand(key_of(epoch, device_key), direction))
    for session in sessions if flags & 2 else (b"",):
        try:
            plaintext = siv.decrypt(data[20:], [data[:20], session, b""])
        except InvalidTag:
            continue
        counter = int.from_bytes(data[12:20], "big")
        kind = Kind(flags >> 2 & 3)
        return Frame(kind, bool(flags & 1), epoch, counter, session, plaintext, data[4:12])
    return None


def command(text: bytes, counter: int, session: bytes, epoch: int = 0) -> bytes:
    """A command of the host."""
    return Frame(Kind.DATA, True, epoch, counter, session, text).seal()


def control(op: Op, body: bytes, counter: int, session: bytes, epoch: int = 0) -> bytes:
    """A control frame of the host."""
    return Frame(Kind.CONTROL, True, epoch, counter, session, bytes([op]) + body).seal()


class SealedHost:
    """The authority of a fleet of one device: a beacon, a window, welcomes, commands.

    ``welcoming``: whether hellos are answered. ``holding``: whether what comes waits to be judged
    by hand. ``beacons``: the sessions that live, the newest last. ``arrived``: every frame that
    verifies, in its order, once, with its verdict. ``payloads``: all that came, copies too.
    """

    def __init__(self, port: int, *, welcoming: bool = True) -> None:
        self.welcoming = welcoming
        self.holding = False
        self.beacons: list[bytes] = []
        self.arrived: list[tuple[str, Frame]] = []
        self.payloads: list[bytes] = []
        self.acknowledged: set[bytes] = set()
        self.session: bytes | None = None
        self.head: int | None = None
        self.epoch = 0
        self.downlinks = 0
        self.firmware = ""
        self._port = port
        self._accepted: set[int] = set()
        self._offered: dict[bytes, bytes] = {}
        self._sessions: list[bytes] = []
        self._changed = threading.Condition()
        self._listening = False
        name = f"sealed host {next(_NUMBERS)}"
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        self.wait(lambda: self._listening, "the host does not connect")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def wait(self, condition: Callable[[], bool], complaint: str) -> None:
        """Waits until something is so; asked whenever something arrived."""
        with self._changed:
            if not self._changed.wait_for(condition, _PATIENCE):
                pytest.fail(
                    f"{complaint}: {[(v, f.kind.name, f.counter) for v, f in self.arrived]}"
                )

    # What the host says.

    def publish(self, where: str, payload: bytes, *, retain: bool = False) -> None:
        """Publishes anything; returns when the broker has it."""
        self._client.publish(where, payload, qos=1, retain=retain).wait_for_publish(_PATIENCE)

    def show_beacon(self) -> None:
        """Publishes a new session; the one before stays alive."""
        self.beacons = [*self.beacons[-1:], os.urandom(16)]
        self.publish(BEACON_TOPIC, self.beacons[-1].hex().encode(), retain=True)

    def ask(self) -> None:
        """Asks for a hello."""
        self.publish(topic("down"), b"")

    def say(self, frame: bytes) -> bytes:
        """Sends a downlink, or anything else."""
        self.publish(topic("down"), frame)
        return frame

    def command(self, text: bytes) -> bytes:
        """Sends a command under the current session; the frame."""
        return self.say(command(text, *self._downlink()))

    def control(self, op: Op, body: bytes = b"") -> bytes:
        """Sends a control frame under the current session; the frame."""
        return self.say(control(op, body, *self._downlink()))

    # What it heard.

    def readings(self) -> list[bytes]:
        """The data of fresh frames."""
        return [f.plaintext for v, f in self.arrived if v == "fresh" and f.kind is Kind.DATA]

    def hellos(self) -> list[Frame]:
        """All hellos, whatever their verdict."""
        return [frame for _, frame in self.arrived if frame.kind is Kind.HELLO]

    def wait_readings(self, number: int) -> list[bytes]:
        """Waits for so many fresh readings."""
        self.wait(lambda: len(self.readings()) >= number, f"fewer than {number} readings")
        return self.readings()

    def wait_welcomed(self) -> None:
        """Waits until the device has acknowledged a welcome."""
        self.wait(lambda: self.session is not None, "no session")

    def wait_other_session(self, than: bytes | None) -> bytes:
        """Waits until the device has acknowledged the welcome to another one; which."""
        self.wait(lambda: self.session != than, "no other session")
        assert self.session is not None
        return self.session

    def wait_acknowledged(self, frame: bytes) -> None:
        """Waits until a downlink is acknowledged."""
        self.wait(lambda: frame[20:36] in self.acknowledged, "no acknowledgement")

    def wait_hello(self, number: int) -> None:
        """Waits for so many hellos."""
        self.wait(lambda: len(self.hellos()) >= number, f"fewer than {number} hellos")

    # Its window.

    def judge(self, payload: bytes) -> str:
        """The verdict on an uplink, which changes the window as any."""
        known = [*self.beacons, *self._sessions, *self._offered.values()]
        frame = open_frame(payload, *known)
        if frame is None:
            return "forged"
        if self.head is None:
            if frame.session not in self.beacons:
                return self._note("stale_session", frame)
            self.head = frame.counter
            self._accepted = {frame.counter}
            return self._note("fresh", frame)
        if frame.counter <= self.head - 64:
            return self._note("replayed", frame)
        if frame.counter in self._accepted:
            return self._note("duplicate", frame)
        self._accepted.add(frame.counter)
        self.head = max(self.head, frame.counter)
        self.epoch = max(self.epoch, frame.epoch)
        return self._note("fresh", frame)

    def _note(self, verdict: str, frame: Frame) -> str:
        self.arrived.append((verdict, frame))
        if frame.kind is Kind.HELLO:
            self._on_hello(verdict, frame)
        if frame.kind is Kind.CONTROL and verdict == "fresh" and frame.plaintext[0] == Op.ACK:
            self.acknowledged.add(frame.plaintext[1:])
            self.session = self._offered.pop(frame.plaintext[1:], self.session)
            if self.session is not None:
                self._sessions.append(self.session)
        return verdict

    def _on_hello(self, verdict: str, frame: Frame) -> None:
        session, self.firmware = frame.plaintext[:16], frame.plaintext[16:].decode()
        behind = verdict in ("duplicate", "replayed")
        if not self.welcoming or self.head is None or (behind and not frame.session):
            return
        floor = self.head + (2**20 if behind else 1)
        self.downlinks += 1
        body = floor.to_bytes(8, "big")
        welcome = control(Op.WELCOME, body, self.downlinks, session, frame.epoch)
        self._offered[welcome[20:36]] = session
        self._client.publish(topic("down"), welcome, qos=1)

    def _downlink(self) -> tuple[int, bytes, int]:
        assert self.session is not None
        self.downlinks += 1
        return self.downlinks, self.session, self.epoch

    # The connection.

    def _on_connect(self, client: Client, *_: object) -> None:
        client.subscribe([(topic("up"), 1), (topic("hello"), 1)])

    def _on_subscribe(self, *_: object) -> None:
        with self._changed:
            self._listening = True
            self._changed.notify_all()

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        with self._changed:
            payload = bytes(message.payload)
            # A broker that is slow gets a packet twice, which decides no test.
            copy = payload in self.payloads
            self.payloads.append(payload)
            if not copy and not self.holding:
                self.judge(payload)
            self._changed.notify_all()


def topic(name: str) -> str:
    """A topic of the device."""
    return f"espseal/{ADDRESS.hex()}/{name}"
