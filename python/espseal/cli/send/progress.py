"""How far a command has come."""

from dataclasses import dataclass
from typing import Any, Literal

from espseal import Publication


@dataclass
class Progress:
    """Of one command, for ``--json`` and for what is said at the end.

    Arguments:
        sent: what was published, once it was.
        missing: what it still needs: the device itself says no more than that.
    """

    sent: Publication | None = None
    missing: (
        Literal["receiver", "connection", "session", "confirmation", "acknowledgement"] | None
    ) = None

    @property
    def answer(self) -> Literal["confirmation", "acknowledgement"]:
        """What is waited for once it was sent: only a sealed device says itself that it has it."""
        return "confirmation" if self.sent is None or self.sent.tag is None else "acknowledgement"

    @property
    def acknowledged(self) -> bool:
        """Whether the device has said that it has it."""
        return self.sent is not None and self.sent.tag is not None and self.missing is None

    def record(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "sent": self.sent is not None,
            "topic": self.sent.topic if self.sent else None,
            "acknowledged": self.acknowledged,
            "missing": self.missing,
        }
