"""Writing a device's scenario: the host's part is sealed by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..draw import draw
from ..sealed import control
from ..sealed.frame import open_frame, parse, seal
from ..sealed.model import Case, Kind
from .device import Device
from .device_player import DevicePlayer
from .player import Record


@dataclass
class DeviceScript:
    """A scenario in the making; `expect` of every step is stated by hand."""

    name: str
    about: str
    counter: int = 1
    epoch: int = 0
    records: list[Record] = field(default_factory=list)
    player: DevicePlayer = field(default_factory=DevicePlayer)

    def __post_init__(self) -> None:
        self.add(
            {
                "name": self.name,
                "about": self.about,
                "step": "scenario",
                "device_key": draw(self.name, "device_key", 32).hex(),
                "address": draw(self.name, "address", 8).hex(),
                "epoch": str(self.epoch),
                "counter": f"{self.counter:016x}",
                "version": b"1.0.0".hex(),
            }
        )

    def add(self, record: Record) -> None:
        try:
            self.player(record)
        except Exception as error:
            error.add_note(f"in step {record['name']} {record['step']} {record.get('about')}")
            raise
        self.records.append(record)

    def step(self, step: str, about: str = "", **fields: str) -> None:
        name = {"name": f"{self.name}-{len(self.records):03d}"}
        said = {"about": about} if about else {}
        self.add({**name, **said, "step": step, **fields})

    @property
    def device(self) -> Device:
        return self.player.device

    def hears_beacon(self, label: str = "beacon", about: str = "") -> None:
        self.step("beacon", about, session=draw(self.name, label, 16).hex())

    def hello(self, about: str = "", label: str | None = None) -> bytes:
        """Let the device draw a session and say hello; return the session."""
        random = draw(self.name, label or f"random/{len(self.records)}", 16)
        before = self.device.counter
        # The session is stated ahead of the step, so derive it on a copy.
        trial = Device(self.device.device_key, self.device.address, self.device.epoch, before)
        trial.beacon = self.device.beacon
        trial.hello(random)
        session = trial.sessions[0].session
        self.step("hello", about, random=random.hex(), session=session.hex(), expect="sent")
        self.claims_hello(session)
        return session

    def claims_hello(self, session: bytes) -> None:
        frame = self.device.published[0]
        parsed = parse(frame)
        beacon = self.device.beacon or b""
        plaintext = open_frame(parsed, self.device.device_key, "uplink", beacon, b"")
        assert (parsed.kind, plaintext) == ("hello", session + b"1.0.0"), "not the hello stated"
        self.step("published", topic="hello", payload=frame.hex())

    def claims_ack(self, tag: bytes, session: bytes, counter: int) -> None:
        """Claim an acknowledgement of this tag, under this session, with this counter."""
        frame = self.device.published[0]
        parsed = parse(frame)
        plaintext = open_frame(parsed, self.device.device_key, "uplink", session, b"")
        found = (parsed.kind, parsed.epoch, parsed.counter, plaintext)
        assert found == ("control", self.device.epoch, counter, control.ack(tag)), found
        self.step("published", topic="up", payload=frame.hex())

    def downlink(
        self, session: bytes, counter: int, plaintext: bytes, kind: Kind = "data"
    ) -> bytes:
        """Return what a host would publish, in the device's epoch."""
        return seal(
            Case(
                name=self.name,
                about="",
                device_key=self.device.device_key,
                address=self.device.address,
                epoch=self.device.epoch,
                direction="downlink",
                kind=kind,
                session=session,
                context=b"",
                counter=counter,
                plaintext=plaintext,
            )
        )

    def receives(self, frame: bytes, expect: str, about: str = "", **fields: str) -> None:
        self.step("receive", about, frame=frame.hex(), **fields, expect=expect)

    def obeys(self, frame: bytes, session: bytes, about: str = "", command: bytes = b"") -> None:
        """State that a downlink is fresh, and acknowledged with the next counter."""
        counter = self.device.counter
        fields = {"plaintext": command.hex()} if command else {}
        self.receives(frame, "fresh", about, **fields)
        self.claims_ack(frame[20:36], session, counter)

    def repeats(self, frame: bytes, session: bytes, about: str = "") -> None:
        """State that a downlink is a duplicate, and acknowledged again."""
        counter = self.device.counter
        self.receives(frame, "duplicate", about)
        self.claims_ack(frame[20:36], session, counter)

    def welcomed(self, session: bytes, floor: int, counter: int = 1, about: str = "") -> bytes:
        """State a welcome, and that the device counts on from the floor or from where it was."""
        frame = self.downlink(session, counter, control.welcome(floor), "control")
        expected = max(self.device.counter, floor)
        self.receives(frame, "fresh", about)
        self.claims_ack(frame[20:36], session, expected)
        return frame
