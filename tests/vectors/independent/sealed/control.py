"""The bodies of control and hello frames."""

from __future__ import annotations

import struct
from typing import Final, Literal, NamedTuple, TypeAlias

Opcode: TypeAlias = Literal["ratchet", "ack", "welcome", "query_mode", "set_mode", "mode"]

#: Each opcode, and the name and size of its body, if it has one.
OPCODES: Final[dict[int, tuple[Opcode, str, int]]] = {
    1: ("ratchet", "epoch", 2),
    2: ("ack", "tag", 16),
    3: ("welcome", "floor", 8),
    4: ("query_mode", "", 0),
    5: ("set_mode", "mode", 1),
    6: ("mode", "mode", 1),
}


class Hello(NamedTuple):
    """A device's new session, and its firmware's version."""

    session: bytes
    version: str


class Control(NamedTuple):
    """An opcode and the bytes of its body."""

    opcode: Opcode
    body: bytes


def parse_hello(plaintext: bytes) -> Hello | None:
    """Return what a hello says, or None: counted and ignored."""
    if len(plaintext) < 16:
        return None
    try:
        return Hello(plaintext[:16], plaintext[16:].decode("utf-8"))
    except UnicodeDecodeError:
        return None


def parse_control(plaintext: bytes) -> Control | None:
    """Return what a control says, or None: counted and ignored."""
    if not plaintext or plaintext[0] not in OPCODES:
        return None
    opcode, _, size = OPCODES[plaintext[0]]
    return Control(opcode, plaintext[1:]) if len(plaintext) == 1 + size else None


def control(opcode: Opcode, body: bytes = b"") -> bytes:
    code = next(code for code, (word, _, _) in OPCODES.items() if word == opcode)
    assert len(body) == OPCODES[code][2]
    return bytes([code]) + body


def ratchet_to(epoch: int) -> bytes:
    return control("ratchet", struct.pack(">H", epoch))


def ack(tag: bytes) -> bytes:
    return control("ack", tag)


def welcome(floor: int) -> bytes:
    return control("welcome", struct.pack(">Q", floor))
