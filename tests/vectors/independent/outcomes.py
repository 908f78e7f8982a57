"""How sealing and opening fail."""

from __future__ import annotations

from dataclasses import dataclass


class Refused(Exception):
    """A sealer refuses to make this frame; the argument is the code."""


@dataclass
class Rejected(Exception):
    """An opener rejects this frame."""

    verdict: str
    reason: str | None = None
    offset: int | None = None
