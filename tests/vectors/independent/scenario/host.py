"""A host: keyring, store and clock; each payload gets a verdict, and some an answer."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ..classic.model import Case as ClassicCase
from ..classic.open import open_frame as open_classic
from ..classic.open import tell_format
from ..outcomes import Refused, Rejected
from ..sealed import control
from ..sealed.armor import dearmor
from ..sealed.frame import open_frame, parse, seal
from ..sealed.keys import device_key, ratchet
from ..sealed.model import LAST_COUNTER, Case, Frame, Kind
from ..sealed.window import Window, first_contact
from .beacons import INTERVAL, Beacons, minted, time_of

LOOK_AHEAD: Final = 3
LOOK_UP: Final = 1024
OVERLAP: Final = 24 * 3600
ASK_PAUSE: Final = 60
EXPIRED_SESSIONS: Final = 8
WITHHELD: Final = 1 << 20


@dataclass(frozen=True)
class Listed:
    """A device as the keyring lists it; `key` is DK_0, if it is the device's own."""

    name: str
    address: bytes
    key: bytes | None = None
    minimum_epoch: int = 0
    revoked: bool = False
    node_id: bytes | None = None


@dataclass
class Learned:
    """What the store keeps of an address, whatever the keyring says."""

    window: Window | None = None
    contact_due: bool = True
    epoch: int | None = None
    overlap_until: int = -1
    downlinks: int = 0
    current: bytes | None = None
    pending: list[bytes] = field(default_factory=list)
    expired: list[bytes] = field(default_factory=list)
    welcomes: dict[bytes, bytes] = field(default_factory=dict)
    sent: set[bytes] = field(default_factory=set)


@dataclass
class Store:
    """What survives a restart; `since` is the time of its making, or of its being put back."""

    since: int
    devices: dict[bytes, Learned] = field(default_factory=dict)
    beacons: Beacons = field(default_factory=Beacons)
    macs: set[bytes] = field(default_factory=set)


class Publication(NamedTuple):
    """What a host publishes: a beacon's session, or a payload on a device's `down` topic."""

    topic: str
    device: str
    payload: bytes


class Outcome(NamedTuple):
    """What a host says of a payload, and what it hands over."""

    verdict: str
    reason: str | None = None
    offset: int | None = None
    device: str | None = None
    advanced: bool = False
    data: bytes | None = None


@dataclass
class Host:
    """One receiver and sender on one store."""

    session_key: bytes
    fleet_key: bytes
    classic: ClassicCase | None
    keyring: dict[bytes, Listed]
    wall: int
    store: Store
    authority: bool = True
    danger_first_contact: bool = False
    now: int = 0
    due: int = 0
    random: bytes = b""
    asked: dict[bytes, int] = field(default_factory=dict)
    handled: set[bytes] = field(default_factory=set)
    published: list[Publication] = field(default_factory=list)

    # Time and restarts

    def start(self, keyring: dict[bytes, Listed]) -> None:
        """Begin to run on the store: what was live before is expired."""
        self.keyring = dict(keyring)
        self.store.beacons.expire(list(self.store.beacons.live))
        self.asked.clear()
        self.handled.clear()
        self.due = self.now
        self.poll()

    def clock(self, seconds: int) -> None:
        self.now += seconds
        self.wall += seconds
        self.poll()

    def poll(self) -> None:
        """Mint the beacon's session if one is due."""
        if not self.authority or self.now < self.due:
            return
        random, self.random = self.random[:4], self.random[4:]
        assert len(random) == 4, "no random bytes for a session"
        beacons = self.store.beacons
        session = minted(self.session_key, beacons.next_time(self.wall), random)
        beacons.add(session)
        self.published.append(Publication("beacon", "", session))
        self.due = self.now + INTERVAL

    def saved(self) -> Store:
        return copy.deepcopy(self.store)

    def restore(self, saved: Store) -> None:
        """Put a copy of the store back and mark it restored: heads are floors from now on."""
        self.store = copy.deepcopy(saved)
        self.store.since = self.wall
        for learned in self.store.devices.values():
            learned.contact_due = True
            learned.current = None
            learned.pending.clear()

    # Receiving

    def open(self, payload: bytes, *, retained: bool = False) -> Outcome:
        try:
            told = tell_format(payload, port_allowed=False)
            if told not in {"sealed", "armored"}:
                return self.open_classic(payload)
            frame = parse(dearmor(payload) if told == "armored" else payload)
            return self.judge(frame)
        except Rejected as rejected:
            verdict = rejected.verdict
            if retained and verdict in {"replayed", "stale_session"}:
                verdict = "duplicate"
            return Outcome(verdict, rejected.reason, rejected.offset)

    def judge(self, frame: Frame) -> Outcome:
        if frame.direction != "uplink":
            raise Rejected("wrong_direction")
        listed = self.keyring.get(frame.address)
        if listed is None:
            raise Rejected("unknown_device")
        if listed.revoked:
            raise Rejected("revoked")
        learned = self.store.devices.setdefault(frame.address, Learned())
        if not self.accepts(frame.epoch, listed, learned):
            raise Rejected("wrong_epoch")
        session, plaintext = self.verify(frame, listed, learned)
        if learned.contact_due:
            self.meet(frame, session, listed, learned)
            advanced = True
        else:
            assert learned.window is not None
            verdict = learned.window.verdict(frame.counter)
            if verdict != "fresh":
                self.hello_again(frame, session, plaintext, listed, learned)
                raise Rejected(verdict)
            advanced = learned.window.take(frame.counter)
        self.reach(frame.epoch, learned)
        if frame.kind == "hello":
            self.handled.add(frame.sealed[:16])
            self.welcome(plaintext, 1 if advanced else WITHHELD, listed, learned)
        elif frame.kind == "control":
            self.take_control(session, plaintext, learned)
        data = plaintext if frame.kind == "data" else None
        return Outcome("fresh", device=listed.name, advanced=advanced, data=data)

    def accepts(self, epoch: int, listed: Listed, learned: Learned) -> bool:
        if learned.epoch is None:
            return listed.minimum_epoch <= epoch <= listed.minimum_epoch + LOOK_UP
        oldest = learned.epoch - (1 if self.now < learned.overlap_until else 0)
        return max(oldest, listed.minimum_epoch) <= epoch <= learned.epoch + LOOK_AHEAD

    def key(self, listed: Listed, epoch: int) -> bytes:
        return ratchet(listed.key or device_key(self.fleet_key, listed.address), epoch)

    def verify(self, frame: Frame, listed: Listed, learned: Learned) -> tuple[bytes, bytes]:
        """Return the session that the frame verifies under, and its plaintext."""
        beacons = self.store.beacons
        if not frame.bound:
            live, expired = [b""], list[bytes]()
        elif frame.kind == "control":
            current = [learned.current] if learned.current else []
            live, expired = current + learned.pending, learned.expired
        else:
            live, expired = beacons.live, beacons.expired
        key = self.key(listed, frame.epoch)
        for session in (*live, *expired):
            try:
                plaintext = open_frame(frame, key, "uplink", session, b"")
            except Rejected:
                continue
            if session in expired:
                self.ask_if_unmet(listed, learned)
                raise Rejected("stale_session")
            return session, plaintext
        raise Rejected("forged")

    def meet(self, frame: Frame, session: bytes, listed: Listed, learned: Learned) -> None:
        """Open the window of a device at first contact, or refuse to."""
        time = None
        if session in self.store.beacons.live and time_of(session) >= self.store.since:
            time = time_of(session)
        elif not self.danger_first_contact:
            self.ask_if_unmet(listed, learned)
            raise Rejected("stale_session")
        window = first_contact(frame.counter, time)
        if learned.window is not None:
            window.head = max(window.head, learned.window.head)
        learned.window, learned.contact_due = window, False
        if frame.kind != "hello":
            self.ask(listed)

    def ask_if_unmet(self, listed: Listed, learned: Learned) -> None:
        if learned.contact_due:
            self.ask(listed)

    def ask(self, listed: Listed) -> None:
        """Ask a device for a hello, at most once a minute."""
        last = self.asked.get(listed.address)
        if self.authority and (last is None or self.now >= last + ASK_PAUSE):
            self.asked[listed.address] = self.now
            self.published.append(Publication("down", listed.name, b""))

    def reach(self, epoch: int, learned: Learned) -> None:
        if learned.epoch is None:
            learned.epoch = epoch
        elif epoch > learned.epoch:
            learned.epoch = epoch
            learned.overlap_until = self.now + OVERLAP

    # Hellos, welcomes, commands

    def hello_again(
        self, frame: Frame, session: bytes, plaintext: bytes, listed: Listed, learned: Learned
    ) -> None:
        """Answer a bound hello that the window refuses: the device lost its counter."""
        if frame.kind != "hello" or not session or frame.sealed[:16] in self.handled:
            return
        self.handled.add(frame.sealed[:16])
        self.welcome(plaintext, WITHHELD, listed, learned)

    def welcome(self, plaintext: bytes, above: int, listed: Listed, learned: Learned) -> None:
        hello = control.parse_hello(plaintext)
        assert learned.window is not None
        head = learned.window.head
        if hello is None or head == LAST_COUNTER or not self.authority:
            return
        if hello.session != learned.current and hello.session not in learned.pending:
            learned.pending.append(hello.session)
        floor = min(head + above, LAST_COUNTER)
        frame = self.downlink("control", hello.session, control.welcome(floor), listed, learned)
        learned.welcomes[frame[20:36]] = hello.session

    def take_control(self, session: bytes, plaintext: bytes, learned: Learned) -> None:
        said = control.parse_control(plaintext)
        if said is None or said.opcode != "ack":
            return
        if learned.welcomes.get(said.body) == session and session in learned.pending:
            learned.pending.remove(session)
            if learned.current is not None:
                learned.expired = [learned.current, *learned.expired][:EXPIRED_SESSIONS]
            learned.current = session

    def send(self, name: str, plaintext: bytes) -> None:
        listed, learned = self.commanded(name)
        assert learned.current is not None
        self.downlink("data", learned.current, plaintext, listed, learned)

    def rotate(self, name: str) -> None:
        """Ask a device to ratchet; here nothing changes until it has."""
        listed, learned = self.commanded(name)
        assert learned.current is not None
        epoch = learned.epoch or listed.minimum_epoch
        body = control.ratchet_to(epoch + 1)
        self.downlink("control", learned.current, body, listed, learned)

    def commanded(self, name: str) -> tuple[Listed, Learned]:
        listed = next(listed for listed in self.keyring.values() if listed.name == name)
        if listed.revoked:
            raise Refused("revoked")
        if not self.authority:
            raise Refused("not_authority")
        learned = self.store.devices.get(listed.address)
        if learned is None or learned.current is None:
            raise Refused("no_session")
        return listed, learned

    def downlink(
        self, kind: Kind, session: bytes, plaintext: bytes, listed: Listed, learned: Learned
    ) -> bytes:
        learned.downlinks += 1
        epoch = learned.epoch or listed.minimum_epoch
        frame = seal(
            Case(
                name=listed.name,
                about="",
                device_key=self.key(listed, epoch),
                address=listed.address,
                epoch=epoch,
                direction="downlink",
                kind=kind,
                session=session,
                context=b"",
                counter=learned.downlinks,
                plaintext=plaintext,
            )
        )
        self.published.append(Publication("down", listed.name, frame))
        return frame

    # Classic devices

    def open_classic(self, payload: bytes) -> Outcome:
        """Open a frame of the group, which accepts the empty session; copies are known by MAC."""
        if self.classic is None:
            raise Rejected("malformed", "unrecognised", 0)
        opened = open_classic(self.classic, payload)
        listed = next(
            (listed for listed in self.keyring.values() if listed.node_id == opened.node_id), None
        )
        if listed is None:
            raise Rejected("unknown_device")
        learned = self.store.devices.get(listed.address)
        if learned is not None and learned.window is not None:
            raise Rejected("downgraded")
        mac = bytes.fromhex(payload[-40:].decode())
        if mac in self.store.macs:
            raise Rejected("duplicate")
        self.store.macs.add(mac)
        return Outcome("fresh", device=listed.name, data=opened.data)
