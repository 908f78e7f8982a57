"""Deterministic stand-ins for random input, and the two ways to damage bytes."""

from __future__ import annotations

import hashlib


def draw(name: str, label: str, size: int) -> bytes:
    """Return `size` bytes of SHA-256(name/label/0) || SHA-256(name/label/1) || ..."""
    blocks = range((size + 31) // 32)
    return b"".join(hashlib.sha256(f"{name}/{label}/{i}".encode()).digest() for i in blocks)[:size]


def draw_text(name: str, label: str, size: int) -> bytes:
    """Return `size` printable ASCII bytes, 0x20 to 0x7e."""
    return bytes(0x20 + byte % 95 for byte in draw(name, label, size))


def flipped(field: bytes, index: int, bit: int) -> bytes:
    changed = bytearray(field)
    changed[index] ^= 1 << bit
    return bytes(changed)


def put(frame: bytes, offset: int, replacement: bytes) -> bytes:
    """Overwrite the frame from `offset`."""
    return frame[:offset] + replacement + frame[offset + len(replacement) :]
