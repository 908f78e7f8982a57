"""A device: its key, its counters and its sessions; the other end of a host."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ..outcomes import Refused, Rejected
from ..sealed import control
from ..sealed.frame import open_frame, parse, seal
from ..sealed.keys import device_session, ratchet
from ..sealed.model import LAST_COUNTER, Case, Kind
from ..sealed.window import CommandHead

OLD_SESSION: Final = 60
ASK_PAUSE: Final = 60


@dataclass
class Session:
    """A session that the device drew: what it took under it, and when it ends."""

    session: bytes
    takes_commands: bool
    head: CommandHead = field(default_factory=CommandHead)
    ends: int | None = None


class Received(NamedTuple):
    """What a device says of a downlink."""

    verdict: str
    reason: str | None = None
    offset: int | None = None
    command: bytes | None = None


@dataclass
class Device:
    """`counter` is the next that it seals with; past the last one it seals no more."""

    device_key: bytes
    address: bytes
    epoch: int = 0
    counter: int = 1
    version: bytes = b"1.0.0"
    beacon: bytes | None = None
    now: int = 0
    sessions: list[Session] = field(default_factory=list)
    asked_at: int | None = None
    published: list[bytes] = field(default_factory=list)

    def boot(self, counter: int) -> None:
        """Lose what RAM held, and go on at the counter that flash reserved."""
        self.counter = counter
        self.sessions.clear()
        self.beacon = None

    def seal(self, kind: Kind, session: bytes, plaintext: bytes) -> bytes:
        if self.counter > LAST_COUNTER:
            raise Refused("counter_exhausted")
        frame = seal(
            Case(
                name="device",
                about="",
                device_key=self.device_key,
                address=self.address,
                epoch=self.epoch,
                direction="uplink",
                kind=kind,
                session=session,
                context=b"",
                counter=self.counter,
                plaintext=plaintext,
            )
        )
        self.counter += 1
        self.published.append(frame)
        return frame

    def asked(self, random: bytes) -> bool:
        """Say hello because a host asks for it, at most once a minute; tell whether."""
        if self.asked_at is not None and self.now < self.asked_at + ASK_PAUSE:
            return False
        self.asked_at = self.now
        self.hello(random)
        return True

    def send(self, plaintext: bytes, *, bound: bool = False) -> bytes:
        session = self.beacon if bound else b""
        assert session is not None, "no beacon to bind to"
        return self.seal("data", session, plaintext)

    def hello(self, random: bytes) -> bytes:
        """Draw a session and say hello."""
        if self.counter > LAST_COUNTER:
            raise Refused("counter_exhausted")
        beacon = self.beacon or bytes(16)
        drawn = device_session(self.device_key, self.counter, beacon, random)
        for earlier in self.sessions:
            if earlier.ends is None:
                earlier.ends = self.now + OLD_SESSION
        self.sessions.insert(0, Session(drawn, takes_commands=self.beacon is not None))
        return self.hello_again()

    def hello_again(self) -> bytes:
        """Say hello with the same session and a new counter."""
        plaintext = self.sessions[0].session + self.version
        return self.seal("hello", self.beacon or b"", plaintext)

    def receive(self, payload: bytes) -> Received:
        try:
            return self.judge(payload)
        except Rejected as rejected:
            return Received(rejected.verdict, rejected.reason, rejected.offset)

    def judge(self, payload: bytes) -> Received:
        frame = parse(payload)
        if frame.direction != "downlink":
            raise Rejected("wrong_direction")
        if frame.address != self.address:
            raise Rejected("unknown_device")
        if frame.epoch != self.epoch:
            raise Rejected("wrong_epoch")
        if not frame.bound:
            open_frame(frame, self.device_key, "downlink", b"", b"")
            raise Rejected("stale_session")
        session, plaintext = self.verify(payload)
        if session.ends is not None and self.now >= session.ends:
            raise Rejected("stale_session")
        if frame.kind == "data" and not session.takes_commands:
            raise Rejected("stale_session")
        verdict = session.head.verdict(frame.counter)
        tag = frame.sealed[:16]
        if verdict == "duplicate":
            self.acknowledge(tag, session)
        if verdict != "fresh":
            raise Rejected(verdict)
        session.head.last = frame.counter
        if frame.kind == "control":
            self.obey(plaintext, tag, session)
            return Received("fresh")
        if session is self.sessions[0]:
            for earlier in self.sessions[1:]:
                earlier.ends = self.now
        self.acknowledge(tag, session)
        return Received("fresh", command=plaintext)

    def verify(self, payload: bytes) -> tuple[Session, bytes]:
        frame = parse(payload)
        for session in self.sessions:
            try:
                opened = open_frame(frame, self.device_key, "downlink", session.session, b"")
            except Rejected:
                continue
            return session, opened
        raise Rejected("forged")

    def obey(self, plaintext: bytes, tag: bytes, session: Session) -> None:
        said = control.parse_control(plaintext)
        if said is None:
            return
        if said.opcode == "welcome":
            self.counter = max(self.counter, int.from_bytes(said.body, "big"))
        elif said.opcode == "ratchet":
            target = int.from_bytes(said.body, "big")
            if target > self.epoch:
                self.device_key = ratchet(self.device_key, target - self.epoch)
                self.epoch = target
        else:
            return
        self.acknowledge(tag, session)

    def acknowledge(self, tag: bytes, session: Session) -> None:
        self.seal("control", session.session, control.ack(tag))

    def hello_at(self, counter: int, random: bytes) -> bytes:
        """Draw a session and say hello, with a counter that flash should not have given."""
        self.counter = counter
        return self.hello(random)
