"""Playing the steps of a device's scenario on the model."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..outcomes import Refused
from ..sealed.frame import parse
from .device import Device
from .player import Record


@dataclass
class DevicePlayer:
    """The device of one scenario."""

    name: str = ""
    device: Device = field(default_factory=lambda: Device(bytes(32), bytes(8)))

    def __call__(self, record: Record) -> None:
        """Play one step, and check what is expected of it."""
        if record["step"] != "published":
            assert not self.device.published, "published and not claimed"
        if record["step"] != "scenario":
            assert record["name"].startswith(f"{self.name}-"), "a step of another scenario"
        getattr(self, f"step_{record['step']}")(record)

    def step_scenario(self, record: Record) -> None:
        self.name = record["name"]
        self.device = Device(
            device_key=bytes.fromhex(record["device_key"]),
            address=bytes.fromhex(record["address"]),
            epoch=int(record["epoch"]),
            counter=int(record["counter"], 16),
            version=bytes.fromhex(record["version"]),
        )

    def step_boot(self, record: Record) -> None:
        self.device.boot(int(record["counter"], 16))

    def step_beacon(self, record: Record) -> None:
        self.device.beacon = bytes.fromhex(record["session"])

    def step_clock(self, record: Record) -> None:
        self.device.now += int(record["advance"])

    def step_hello(self, record: Record) -> None:
        try:
            self.device.hello(bytes.fromhex(record["random"]))
        except Refused as refused:
            assert record["expect"] == str(refused)
        else:
            assert record["expect"] == "sent"
            assert record["session"] == self.device.sessions[0].session.hex()

    def step_hello_again(self, record: Record) -> None:
        self.device.hello_again()
        assert record["expect"] == "sent"

    def step_asked(self, record: Record) -> None:
        said = self.device.asked(bytes.fromhex(record["random"]))
        assert record["expect"] == ("sent" if said else "ignored")

    def step_send(self, record: Record) -> None:
        assert record["bound"] in {"true", "false"}
        plaintext = bytes.fromhex(record["plaintext"])
        try:
            self.device.send(plaintext, bound=record["bound"] == "true")
        except Refused as refused:
            assert record["expect"] == str(refused)
        else:
            assert record["expect"] == "sent"

    def step_receive(self, record: Record) -> None:
        received = self.device.receive(bytes.fromhex(record["frame"]))
        offset = None if received.offset is None else str(received.offset)
        found = (received.verdict, received.reason, offset)
        stated = (record["expect"], record.get("reason"), record.get("offset"))
        assert found == stated, f"{found}, stated as {stated}"
        command = bytes.fromhex(record["plaintext"]) if "plaintext" in record else None
        assert received.command == command, f"not the command stated: {received}"

    def step_published(self, record: Record) -> None:
        assert self.device.published, "nothing was published"
        frame = self.device.published.pop(0)
        assert frame.hex() == record["payload"]
        assert record["topic"] == ("hello" if parse(frame).kind == "hello" else "up")
