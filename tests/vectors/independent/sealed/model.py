"""What a sealed frame is made from, and what may come of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

Direction: TypeAlias = Literal["uplink", "downlink"]
Kind: TypeAlias = Literal["data", "hello", "control"]

DIRECTIONS: Final[tuple[Direction, ...]] = get_args(Direction)
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


def direction_named(word: str) -> Direction:
    return next(direction for direction in DIRECTIONS if direction == word)


def kind_named(word: str) -> Kind:
    return next(kind for kind in KINDS if kind == word)


MAGIC: Final = 0xF5
HEADER: Final = 20
OVERHEAD: Final = 36
MAX_FRAME: Final = 16384
MAX_ARMOR: Final = (MAX_FRAME * 4 + 2) // 3
LAST_COUNTER: Final = (1 << 64) - 1

SEAL_CODES: Final = frozenset(
    {"sealed", "frame_too_long", "invalid_counter", "invalid_kind", "session_required"}
)
MALFORMED: Final = frozenset(
    {
        "too_long",
        "too_short",
        "unsupported_version",
        "reserved_bits",
        "unknown_kind",
        "downlink_hello",
        "unbound_control",
        "counter_zero",
        "not_base64url",
        "armor_length",
        "trailing_bits",
    }
)


@dataclass(frozen=True)
class Case:
    """Everything that a frame is made from; `device_key` is that of `epoch`."""

    name: str
    about: str
    device_key: bytes
    address: bytes
    epoch: int
    direction: Direction
    kind: Kind
    session: bytes
    context: bytes
    counter: int
    plaintext: bytes
    fleet_key: bytes | None = None


class Frame(NamedTuple):
    """The fields of a frame; until the tag has verified, they are claims."""

    direction: Direction
    bound: bool
    kind: Kind
    epoch: int
    address: bytes
    counter: int
    header: bytes
    sealed: bytes


@dataclass(frozen=True)
class Rejection:
    """What a receiver is given and says: its keys and sessions, and the payload."""

    case: Case
    form: Literal["binary", "armor"]
    payload: bytes
    expect: str
    reason: str | None = None
    offset: int | None = None
    tail: tuple[int, int] | None = None
