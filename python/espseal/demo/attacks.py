"""What someone with the whole broker in hand can try. No key is known here, nor the receiver.

All that goes in was heard on the broker; all that comes out is topics and payloads.
"""

import os
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

FIELDS: Final = ("IV", "node ID", "data", "MAC")
NOISE: Final = 150
MAGIC: Final = b"\xf5"
"""The first byte of a sealed frame. What follows its header is tag and ciphertext."""

_RANDOM: Final = random.SystemRandom()


@dataclass(frozen=True)
class Frame:
    """A frame that was heard: its four fields are hex digits with a meaning unknown."""

    topic: str
    fields: tuple[str, str, str, str]

    @staticmethod
    def recognise(topic: str, payload: bytes) -> "Frame | None":
        """Takes a payload for a frame by its looks: four comma-separated runs of hex digits."""
        fields = payload.decode("ascii", "replace").split(",")
        if len(fields) != len(FIELDS) or not all(map(_is_hex, fields)):
            return None
        return Frame(topic, (fields[0], fields[1], fields[2], fields[3]))

    @property
    def payload(self) -> bytes:
        """The bytes on the wire."""
        return ",".join(self.fields).encode()

    def with_field(self, index: int, value: str) -> "Frame":
        """The same frame with one field exchanged."""
        a, b, c, d = (value if i == index else field for i, field in enumerate(self.fields))
        return Frame(self.topic, (a, b, c, d))


@dataclass(frozen=True)
class Shot:
    """One message of an attack, ready to publish."""

    topic: str
    payload: bytes
    retain: bool = False


@dataclass(frozen=True)
class Attack:
    """A named attempt: what is tried, in words, and the messages that try it."""

    name: str
    how: str
    shots: tuple[Shot, ...]


def plan(
    mine: Frame, other: Frame, sealed: Shot, session_topics: Sequence[str]
) -> Iterator[Attack]:
    """The attacks, in the order in which they are played.

    Arguments:
        mine: a recorded frame of one node.
        other: a recorded frame of another node.
        sealed: a recorded frame of a sealed node.
        session_topics: where session IDs were heard.
    """
    yield _replay(mine, other.topic)
    for index, field in enumerate(FIELDS):
        yield Attack(
            f"flipped bit: {field}",
            "one bit changed on the way",
            (_shot(mine.with_field(index, _flip(mine.fields[index]))),),
        )
    yield _another_identity(mine, other)
    yield Attack(
        "forged session ID",
        "one of the attacker's own",
        tuple(Shot(topic, _session_id().encode(), retain=True) for topic in session_topics),
    )
    yield Attack(
        "flood: noise",
        "random bytes as readings",
        tuple(Shot(mine.topic, os.urandom(size)) for size in _sizes()),
    )
    yield Attack(
        "flood: look-alikes",
        "right form, random content",
        tuple(_shot(_look_alike(mine)) for _ in range(NOISE)),
    )
    yield Attack(
        "flood: session IDs",
        "random bytes as session IDs",
        tuple(
            Shot(topic, os.urandom(size))
            for topic in session_topics
            for size in _sizes()[:: len(session_topics)]
        ),
    )
    yield Attack("sealed: replay", "a recorded one once more", (sealed,))
    yield Attack(
        "sealed: flipped bit",
        "one bit changed on the way",
        (Shot(sealed.topic, _flip_bit(sealed.payload)),),
    )


def last_word(newest: Iterable[Frame]) -> Attack:
    """What is played when all else is over: the newest reading of each node once more."""
    return Attack("replay, again", "the newest ones once more", tuple(map(_shot, newest)))


def again(name: str, how: str, heard: Iterable[Shot]) -> Attack:
    """What was heard once more, as it was."""
    return Attack(name, how, tuple(heard))


def is_sealed(payload: bytes) -> bool:
    """Takes a payload for a sealed frame by its looks."""
    return payload.startswith(MAGIC)


def is_session_id(payload: bytes) -> bool:
    """Takes a payload for a session ID by its looks: 32 hex digits."""
    return len(payload) == 32 and _is_hex(payload.decode("ascii", "replace"))


def _replay(frame: Frame, other_topic: str) -> Attack:
    # As it was, in capitals (the same bytes in other digits), and under another node's topic.
    copies = (
        _shot(frame),
        Shot(frame.topic, frame.payload.upper()),
        Shot(other_topic, frame.payload),
    )
    return Attack("replay", "a recorded reading once more", copies)


def _another_identity(mine: Frame, other: Frame) -> Attack:
    # The node ID is encrypted under the IV of its own frame: once alone, once with that IV.
    id_alone = mine.with_field(1, other.fields[1])
    id_with_iv = id_alone.with_field(0, other.fields[0])
    return Attack(
        "another node's ID",
        "its encrypted ID spliced in",
        (_shot(id_alone), _shot(id_with_iv)),
    )


def _look_alike(model: Frame) -> Frame:
    a, b, c, d = (os.urandom(len(field) // 2).hex() for field in model.fields)
    return Frame(model.topic, (a, b, c, d))


def _session_id() -> str:
    # A good forgery: the time is right, and all that can be chosen freely is random.
    return int(time.time()).to_bytes(4, "big").hex() + os.urandom(12).hex()


def _sizes() -> list[int]:
    return [_RANDOM.randrange(1, 2500) for _ in range(NOISE)]


def _flip(digits: str) -> str:
    at = _RANDOM.randrange(len(digits))
    flipped = int(digits[at], 16) ^ (1 << _RANDOM.randrange(4))
    return f"{digits[:at]}{flipped:x}{digits[at + 1 :]}"


def _flip_bit(payload: bytes) -> bytes:
    flipped = bytearray(payload)
    flipped[-1 - _RANDOM.randrange(16)] ^= 1 << _RANDOM.randrange(8)
    return bytes(flipped)


def _shot(frame: Frame) -> Shot:
    return Shot(frame.topic, frame.payload)


def _is_hex(text: str) -> bool:
    return bool(text) and all(c in "0123456789abcdefABCDEF" for c in text)
