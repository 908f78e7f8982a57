"""Writing a scenario: each step is played at once, on the models that it will be checked with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ..classic.cases import draw_keys
from ..draw import draw
from ..sealed import control
from ..sealed.frame import open_frame, parse
from ..sealed.keys import device_key
from .device import Device
from .player import HostPlayer, Record

#: 2033-05-18 03:33:20 UTC: followers take no session before the day of their build.
START: Final = 2_000_000_000


@dataclass
class Script:
    """A scenario in the making; `expect` of every step is stated by hand."""

    name: str
    about: str
    classic: bool = False
    danger_first_contact: bool = False
    records: list[Record] = field(default_factory=list)
    player: HostPlayer = field(default_factory=HostPlayer)

    def __post_init__(self) -> None:
        head = {
            "name": self.name,
            "about": self.about,
            "step": "scenario",
            "session_key": draw(self.name, "session_key", 32).hex(),
            "fleet_key": draw(self.name, "fleet_key", 32).hex(),
            "now": str(START),
        }
        if self.classic:
            head |= {key: value.hex() for key, value in draw_keys(self.name)._asdict().items()}
        if self.danger_first_contact:
            head["danger_first_contact"] = "true"
        self.player(head)
        self.records.append(head)

    def step(self, step: str, about: str = "", **fields: str) -> None:
        name = f"{self.name}-{len(self.records):03d}"
        record = {"name": name, "step": step, **fields}
        if about:
            record = {"name": name, "about": about, "step": step, **fields}
        try:
            self.player(record)
        except Exception as error:
            error.add_note(f"in step {name} {step} {about}")
            raise
        self.records.append(record)

    # The keyring

    def lists(self, name: str, **fields: str) -> Device:
        """List a device, and return it as it leaves the workshop."""
        address = draw(f"{self.name}/{name}", "address", 8)
        self.step("device", device=name, address=address.hex(), **fields)
        key = device_key(self.player.fleet_key, address)
        if "device_key" in fields:
            key = bytes.fromhex(fields["device_key"])
        return Device(device_key=key, address=address)

    def lists_again(self, name: str, device: Device, about: str = "", **fields: str) -> None:
        self.step("device", about, device=name, address=device.address.hex(), **fields)

    # Time

    def random(self) -> str:
        return draw(f"{self.name}/{len(self.records)}", "random", 4).hex()

    def start(self, about: str = "") -> bytes:
        """Start the host; return the beacon's session."""
        self.step("start", about, random=self.random())
        return self.beacon()

    def minute(self, about: str = "", advance: int = 61) -> bytes:
        """Let time pass until the next beacon; return its session."""
        self.step("clock", about, advance=str(advance), random=self.random())
        return self.beacon()

    def again(self, step: str, about: str, **fields: str) -> bytes:
        """Restart the host in one of the ways; return the beacon's session."""
        self.step(step, about, random=self.random(), **fields)
        return self.beacon()

    # What is published

    def beacon(self) -> bytes:
        session = self.player.hosts["a"].published[0].payload
        self.step("published", topic="beacon", session=session.hex())
        return session

    def asks(self, name: str, about: str = "") -> None:
        self.step("published", about, topic="down", device=name, payload="")

    def publishes(self, name: str, device: Device, session: bytes, plaintext: bytes) -> bytes:
        """Claim a downlink; it must open on the device under this session, to this plaintext."""
        payload = self.player.hosts["a"].published[0].payload
        frame = parse(payload)
        opened = open_frame(frame, device.device_key, "downlink", session, b"")
        assert (frame.address, opened) == (device.address, plaintext), "not the downlink stated"
        self.step("published", topic="down", device=name, payload=payload.hex())
        return payload

    def welcomes(
        self, name: str, device: Device, floor: int, session: bytes | None = None
    ) -> bytes:
        session = session or device.sessions[0].session
        return self.publishes(name, device, session, control.welcome(floor))

    # What is received

    def opens(self, frame: bytes, expect: str, about: str = "", **fields: str) -> None:
        self.step("open", about, frame=frame.hex(), **fields, expect=expect)

    def fresh(
        self,
        name: str,
        frame: bytes,
        data: bytes | None,
        about: str = "",
        *,
        late: bool = False,
        **more: str,
    ) -> None:
        """State that a frame is fresh, and what it carries; `late`: not above the head."""
        fields = dict(more)
        if data is not None:
            fields["plaintext"] = data.hex()
        self.opens(
            frame, "fresh", about, device=name, advanced="false" if late else "true", **fields
        )

    def streams(
        self, device: Device, first: int, last: int, expect: str, about: str, session: bytes = b""
    ) -> None:
        self.step(
            "stream",
            about,
            device_key=device.device_key.hex(),
            address=device.address.hex(),
            epoch=str(device.epoch),
            session=session.hex(),
            first=f"{first:016x}",
            last=f"{last:016x}",
            plaintext=b"21.5".hex(),
            expect=expect,
        )

    # Whole exchanges

    def head(self, device: Device) -> int:
        window = self.player.hosts["a"].store.devices[device.address].window
        assert window is not None
        return window.head

    def says_hello(self, name: str, device: Device, about: str = "") -> bytes:
        """Let a device say hello for the first time and be welcomed; return its hello."""
        frame = device.hello(draw(f"{self.name}/{len(self.records)}", "device", 16))
        self.fresh(name, frame, None, about)
        self.is_welcomed(name, device, self.head(device) + 1)
        return frame

    def is_welcomed(self, name: str, device: Device, floor: int) -> bytes:
        """Claim the welcome, and let the device acknowledge it; return the acknowledgement."""
        welcome = self.welcomes(name, device, floor)
        device.published.clear()
        received = device.receive(welcome)
        assert received.verdict == "fresh", received
        assert device.counter == floor + 1, "the device did not follow the welcome"
        ack = device.published[-1]
        self.fresh(name, ack, None, "The acknowledgement: the session is current.")
        return ack

    def sends(self, name: str, device: Device, plaintext: bytes, about: str = "") -> bytes:
        """Send a command under the device's session; return its frame."""
        self.step("send", about, device=name, plaintext=plaintext.hex(), expect="sent")
        return self.publishes(name, device, device.sessions[0].session, plaintext)
