"""Sealing, parsing and opening a sealed frame, without any state."""

from __future__ import annotations

import struct

from ..outcomes import Refused, Rejected
from ..primitives import siv_open, siv_seal
from .keys import frame_keys
from .model import (
    DIRECTIONS,
    HEADER,
    KINDS,
    MAGIC,
    MAX_FRAME,
    OVERHEAD,
    Case,
    Direction,
    Frame,
)


def seal(case: Case) -> bytes:
    """Make the frame, or raise `Refused` with the code."""
    if case.counter == 0:
        raise Refused("invalid_counter")
    if case.kind == "hello" and case.direction == "downlink":
        raise Refused("invalid_kind")
    if case.kind == "control" and not case.session:
        raise Refused("session_required")
    if OVERHEAD + len(case.plaintext) > MAX_FRAME:
        raise Refused("frame_too_long")
    return seal_unchecked(case)


def seal_unchecked(case: Case) -> bytes:
    """Make the frame without asking whether a sealer would agree."""
    header = header_of(case)
    return header + siv_seal(key_of(case), (header, case.session, case.context), case.plaintext)


def header_of(case: Case) -> bytes:
    flags = DIRECTIONS.index(case.direction) | KINDS.index(case.kind) << 2
    if case.session:
        flags |= 2
    return struct.pack(">BBH8sQ", MAGIC, flags, case.epoch, case.address, case.counter)


def key_of(case: Case) -> bytes:
    keys = frame_keys(case.device_key)
    return keys.uplink if case.direction == "uplink" else keys.downlink


def parse(frame: bytes) -> Frame:
    """Take a frame apart; lengths are checked first, then the header from left to right."""
    if len(frame) > MAX_FRAME:
        raise Rejected("malformed", "too_long", MAX_FRAME)
    if len(frame) < OVERHEAD:
        raise Rejected("malformed", "too_short", len(frame))
    magic, flags, epoch, address, counter = struct.unpack(">BBH8sQ", frame[:HEADER])
    if magic != MAGIC:
        raise Rejected("malformed", "unsupported_version", 0)
    if flags >> 4:
        raise Rejected("malformed", "reserved_bits", 1)
    if flags >> 2 == 3:
        raise Rejected("malformed", "unknown_kind", 1)
    kind, bound, direction = KINDS[flags >> 2], bool(flags & 2), DIRECTIONS[flags & 1]
    if kind == "hello" and direction == "downlink":
        raise Rejected("malformed", "downlink_hello", 1)
    if kind == "control" and not bound:
        raise Rejected("malformed", "unbound_control", 1)
    if counter == 0:
        raise Rejected("malformed", "counter_zero", 12)
    return Frame(direction, bound, kind, epoch, address, counter, frame[:HEADER], frame[HEADER:])


def open_frame(
    frame: Frame, device_key: bytes, direction: Direction, session: bytes, context: bytes
) -> bytes:
    """Return the plaintext, or raise `Rejected`; `session` counts for bound frames only."""
    if frame.direction != direction:
        raise Rejected("wrong_direction")
    if frame.bound and not session:
        raise Rejected("forged")
    keys = frame_keys(device_key)
    key = keys.uplink if direction == "uplink" else keys.downlink
    components = (frame.header, session if frame.bound else b"", context)
    plaintext = siv_open(key, components, frame.sealed)
    if plaintext is None:
        raise Rejected("forged")
    return plaintext
