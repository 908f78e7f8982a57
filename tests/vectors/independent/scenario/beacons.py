"""The sessions of a beacon topic, as its authority or a follower sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ..session import mint, session_id_verifies

INTERVAL: Final = 60
LIFE: Final = 120
LIVE: Final = 2
EXPIRED: Final = 8
AHEAD: Final = 30


def minted(session_key: bytes, time: int, random: bytes) -> bytes:
    return bytes.fromhex(mint(session_key, time, random))


def time_of(session: bytes) -> int:
    return int.from_bytes(session[:4], "big")


@dataclass
class Beacons:
    """The newest session first; those that were heard before a restart are expired."""

    live: list[bytes] = field(default_factory=list)
    expired: list[bytes] = field(default_factory=list)

    def newest(self) -> int | None:
        return max(map(time_of, self.live + self.expired), default=None)

    def next_time(self, wall: int) -> int:
        newest = self.newest()
        return wall if newest is None else max(wall, newest + 1)

    def add(self, session: bytes) -> None:
        self.live.insert(0, session)
        self.expire(self.live[LIVE:])

    def expire(self, sessions: list[bytes]) -> None:
        self.expired = (sessions + self.expired)[:EXPIRED]
        self.live = [session for session in self.live if session not in sessions]

    def hear(self, session_key: bytes, session: bytes, wall: int) -> bool:
        """Take a session that another host published; tell whether it is good."""
        newest, time = self.newest(), time_of(session)
        if not session_id_verifies(session_key, session.hex()) or time > wall + AHEAD:
            return False
        if newest is not None and time < newest - LIFE:
            return False
        if session in self.live or session in self.expired:
            return False
        self.add(session)
        return True
