"""A message that was received, as people and as programs see it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from espseal import Message, Verdict
from espseal.cli.data import decoded, in_json, printable


@dataclass(frozen=True)
class Received:
    """A message and when it came."""

    message: Message
    time: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def fresh(self) -> bool:
        """Whether it is a reading to use."""
        return self.message.verdict == Verdict.FRESH

    @property
    def stamp(self) -> str:
        """The time in ISO 8601, UTC, to the millisecond: sorts as text."""
        return self.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def clock(self) -> str:
        """The time on this computer's clock."""
        return self.time.astimezone().strftime("%H:%M:%S")

    @property
    def text(self) -> str | None:
        """The reading, if it is UTF-8."""
        return decoded(self.message.data)

    @property
    def shown(self) -> str:
        """The reading in printable characters."""
        text = self.text
        return f"0x{(self.message.data or b'').hex()}" if text is None else printable(text)

    @property
    def sender(self) -> str:
        """Who sent it, as far as that is sure: the device, else the node, else only the topic."""
        message = self.message
        if message.device is not None:
            return message.device
        if message.node_id is not None:
            return f"{message.node_id} of {message.group}"
        return f"on {printable(message.topic or '')}"

    def record(self) -> dict[str, Any]:
        """What a line of ``--json`` holds."""
        message = self.message
        record: dict[str, Any] = {
            "time": self.stamp,
            "verdict": message.verdict.value,
            "device": message.device,
            "node_id": message.node_id,
            "group": message.group,
            "topic": message.topic,
            "retained": message.retained,
            "data": None,
        }
        if message.data is None:
            return record | {"reason": message.reason}
        return record | in_json(message.data)
