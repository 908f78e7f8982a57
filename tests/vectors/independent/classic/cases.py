"""Building blocks of the classic records."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace

from ..draw import draw, draw_text
from ..primitives import BLOCK, cbc_encrypt
from .model import MAX_FRAME, Case, Keys, Layout, Record, Separated
from .seal import frame_of


def draw_iv(name: str, counter: int = 0) -> bytes:
    """Return an IV as the article's sender makes it: two numbers, each printed with %8x."""
    first, second = struct.unpack(">II", draw(name, f"iv/{counter}", 8))
    return article_iv(first, second)


def article_iv(first: int, second: int) -> bytes:
    return f"{first:8x}{second:8x}".encode()


def draw_keys(name: str, *, iv_key: int = 16, data_key: int = 16, passphrase: int = 16) -> Keys:
    return Keys(
        draw(name, "iv_key", iv_key),
        draw(name, "data_key", data_key),
        draw(name, "static_iv", 16),
        draw(name, "passphrase", passphrase),
    )


def draw_session(name: str, label: str = "session") -> bytes:
    return draw(name, label, 16).hex().encode()


def separated(name: str, about: str, layout: Separated, size: int = 20) -> Case:
    """Return a hex or raw case with everything drawn from its name."""
    number = 1_000_000 + int.from_bytes(draw(name, "node_id", 4), "big") % 9_000_000
    return Case(
        name=name,
        about=about,
        layout=layout,
        keys=draw_keys(name),
        session=draw_session(name),
        node_id=str(number).encode(),
        iv=draw_iv(name),
        data=draw_text(name, "data", size),
    )


def ported(name: str, about: str, size: int = 20) -> Case:
    """Return a port case with everything drawn from its name."""
    key = draw_text(name, "key", 64)
    return Case(
        name=name,
        about=about,
        layout="port",
        keys=Keys(iv_key=key[16:32], data_key=key[32:48], static_iv=key[:16], passphrase=key[48:]),
        session=b"",
        node_id=b"",
        iv=draw_text(name, "iv", 15) + b"\x01",
        data=draw_text(name, "data", size),
        danger_accept_replays=True,
    )


def with_iv_where(case: Case, wanted: Callable[[bytes], bool]) -> Case:
    """Return the case with the first IV, counted from 0, whose frame is as wanted."""
    for counter in range(1 << 22):
        candidate = replace(case, iv=draw_iv(case.name, counter))
        if wanted(frame_of(candidate)):
            return candidate
    raise AssertionError(f"{case.name}: no IV found")


def with_iv_giving_first_bytes(case: Case, first: bytes) -> Case:
    """Return the case with the first IV whose frame begins so; tries the IV's block alone."""
    for counter in range(1 << 22):
        iv = draw_iv(case.name, counter)
        if cbc_encrypt(case.keys.iv_key, case.keys.static_iv, iv).startswith(first):
            return replace(case, iv=iv)
    raise AssertionError(f"{case.name}: no IV found")


def without_stray_commas(case: Case) -> Case:
    """Return the case with an IV whose frame has no comma but the three separators."""
    return with_iv_where(case, lambda frame: frame.count(b",") == 3)


def largest_data(layout: Layout) -> int:
    """Return the most bytes of data whose frame does not exceed 2048 bytes."""
    if layout == "port":
        return (MAX_FRAME // 2 - 16 - 20) // BLOCK * BLOCK - 1
    factor = 2 if layout == "hex" else 1
    return (MAX_FRAME - factor * 32 - 3 - 40) // (factor * BLOCK) * BLOCK


def ending_in_nul(name: str, size: int, zeros: int) -> bytes:
    """Return `size` bytes of which exactly the last `zeros` are NUL."""
    return bytes(byte or 0xFF for byte in draw(name, "data", size - zeros)) + bytes(zeros)


def mixed_case(text: bytes) -> bytes:
    """Return hex whose letters are alternately upper and lower case."""
    letters = 0
    mixed = bytearray()
    for byte in text:
        letter = bytes([byte])
        if letter.isalpha():
            letter = letter.upper() if letters % 2 == 0 else letter.lower()
            letters += 1
        mixed += letter
    return bytes(mixed)


def plain(name: str, about: str, layout: Separated, size: int = 20) -> Case:
    """Return a case to damage, without commas that would change how its frame is told."""
    return without_stray_commas(separated(name, about, layout, size))


def malformed(case: Case, frame: bytes, reason: str, offset: int) -> Record:
    return Record(case, frame, "malformed", reason, offset)


def forged(case: Case, frame: bytes) -> Record:
    return Record(case, frame, "forged")


def wrong_direction(case: Case, frame: bytes) -> Record:
    return Record(case, frame, "wrong_direction")


def hex_texts(case: Case) -> list[bytes]:
    return frame_of(case).split(b",")
