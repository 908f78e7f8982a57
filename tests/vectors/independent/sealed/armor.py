"""The text armor: base64url without padding; one frame has one text."""

from __future__ import annotations

import base64
import string
from typing import Final

from ..outcomes import Rejected
from .model import MAX_ARMOR, MAX_FRAME

ALPHABET: Final = (string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_").encode()


def armor(frame: bytes) -> bytes:
    return base64.urlsafe_b64encode(frame).rstrip(b"=")


def dearmor(text: bytes) -> bytes:
    """Return the bytes of the one text that armors them, or raise `Rejected`."""
    if len(text) > MAX_ARMOR:
        raise Rejected("malformed", "too_long", MAX_FRAME)
    value = 0
    for offset, character in enumerate(text):
        sextet = ALPHABET.find(character)
        if sextet < 0:
            raise Rejected("malformed", "not_base64url", offset)
        value = value << 6 | sextet
    if len(text) % 4 == 1:
        raise Rejected("malformed", "armor_length", len(text))
    octets, spare = divmod(len(text) * 6, 8)
    if value & ((1 << spare) - 1):
        raise Rejected("malformed", "trailing_bits", len(text) - 1)
    frame = (value >> spare).to_bytes(octets, "big")
    assert armor(frame) == text, "two texts for one frame"
    return frame
