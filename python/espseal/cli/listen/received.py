"""A message that was received, as people and as programs see it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import espseal
from espseal import Message, Verdict
from espseal.cli.data import decoded, in_json, printable


@dataclass(frozen=True)
class Received:
    """A message and when it came.

    Arguments:
        message: what the receiver says of it.
        payload: what came.
        missing: how many counters right before it have not come; -1 for one that came late.
        time: when it came.
    """

    message: Message
    payload: bytes = b""
    missing: int = 0
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

    @cached_property
    def claimed(self) -> str | None:
        """The address that a sealed frame claims whose device is not known; nothing proves it."""
        if self.message.verdict != Verdict.UNKNOWN_DEVICE or self.message.node_id is not None:
            return None
        sealed = espseal.inspect(self.payload).sealed
        return sealed.address if sealed else None

    @property
    def waits_for_hello(self) -> bool:
        """Whether it is only refused because the device has not said hello to this state yet."""
        message = self.message
        stale = message.verdict == Verdict.STALE_SESSION
        return stale and message.address is not None and not message.session_bound

    @property
    def sender(self) -> str:
        """Who sent it, as far as that is sure: the device, else the node, else only the topic."""
        message = self.message
        if message.device is not None:
            return message.device
        if message.node_id is not None:
            return f"{message.node_id} of {message.group}"
        if self.claimed is not None:
            return f"{self.claimed} (claimed)"
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
            "address": message.address,
            "claimed_address": self.claimed,
            "kind": message.kind,
            "counter": message.counter,
            "epoch": message.epoch,
            "advanced": message.advanced,
            "missing": max(0, self.missing),
            "topic": message.topic,
            "retained": message.retained,
            "data": None,
        }
        if message.data is None:
            return record | {"reason": message.reason}
        return record | in_json(message.data)
