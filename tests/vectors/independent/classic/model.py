"""What a classic frame is made from, and what may come of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

Layout: TypeAlias = Literal["hex", "raw", "port"]

DataMode: TypeAlias = Literal["text", "binary"]

MacOver: TypeAlias = Literal["unpadded", "padded"]

Direction: TypeAlias = Literal["reading", "command", "peer"]

Separated: TypeAlias = Literal["hex", "raw"]

MAX_FRAME: Final = 2048

HEX_DIGITS: Final = frozenset(b"0123456789abcdefABCDEF")

SEPARATED: Final[tuple[Separated, ...]] = get_args(Separated)

SEAL_CODES: Final = frozenset(
    {"sealed", "data_ends_in_nul", "invalid_node_id", "frame_too_long", "session_required"}
)

MALFORMED: Final = frozenset(
    {"too_long", "unrecognised", "not_hex", "field_length", "missing_separator", "port_length"}
)


class Keys(NamedTuple):
    """The four secrets of a group; of the port, the four parts of its 64-character key."""

    iv_key: bytes
    data_key: bytes
    static_iv: bytes
    passphrase: bytes


@dataclass(frozen=True)
class Case:
    """Everything that a frame is made from, or that its receiver is configured with."""

    name: str
    about: str
    layout: Layout
    keys: Keys
    session: bytes
    node_id: bytes
    iv: bytes
    data: bytes
    data_mode: DataMode = "text"
    mac_over: MacOver = "unpadded"
    danger_accept_replays: bool = False
    direction: Direction = "reading"
    expected_node_id: bytes | None = None


@dataclass(frozen=True)
class Record:
    """A case, its frame and what must come of it."""

    case: Case
    frame: bytes
    expect: str
    reason: str | None = None
    offset: int | None = None


class Fields(NamedTuple):
    """The decoded fields of a hex or raw frame."""

    iv: bytes
    node: bytes
    data: bytes
    mac: bytes


class Opened(NamedTuple):
    """What an opener reads from a verified frame."""

    node_id: bytes
    iv: bytes
    data: bytes
