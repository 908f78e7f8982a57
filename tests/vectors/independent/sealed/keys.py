"""The keys of the sealed frame."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from ..outcomes import Refused
from ..primitives import hkdf, hkdf_expand

LAST_EPOCH: Final = 65535


class FrameKeys(NamedTuple):
    """K_uplink and K_downlink: each 16 bytes for CMAC, then 16 for CTR."""

    uplink: bytes
    downlink: bytes


def device_key(fleet_key: bytes, address: bytes) -> bytes:
    """Return DK_0 = HKDF(salt="espseal/1", ikm=fleet key, info="device" || address)."""
    return hkdf(b"espseal/1", fleet_key, b"device" + address, 32)


def ratchet(key: bytes, steps: int = 1, *, epoch: int = 0) -> bytes:
    """Return DK_{epoch+steps}, given DK_epoch; refuse to pass the last epoch."""
    if epoch + steps > LAST_EPOCH:
        raise Refused("epoch_exhausted")
    for _ in range(steps):
        key = hkdf_expand(key, b"ratchet", 32)
    return key


def frame_keys(key: bytes) -> FrameKeys:
    """Return HKDF-Expand(DK_e, "uplink") and HKDF-Expand(DK_e, "downlink")."""
    return FrameKeys(hkdf_expand(key, b"uplink", 32), hkdf_expand(key, b"downlink", 32))


def device_session(key: bytes, counter: int, beacon: bytes, random: bytes) -> bytes:
    """Return HKDF-Expand(DK_e, "session" || hello counter || beacon session || random, 16)."""
    assert (len(beacon), len(random)) == (16, 16)
    return hkdf_expand(key, b"session" + struct.pack(">Q", counter) + beacon + random, 16)
