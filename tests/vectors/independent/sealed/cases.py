"""Building blocks of the sealed records."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ..draw import draw, draw_text
from .keys import device_key, ratchet
from .model import Case, Direction, Kind

COUNTING_KEY: Final = bytes(range(32))
KNOWN_ADDRESS: Final = bytes.fromhex("0011223344556677")

#: Each way to combine direction, kind and being bound that is well-formed.
SHAPES: Final[tuple[tuple[Direction, Kind, bool], ...]] = (
    ("uplink", "data", False),
    ("uplink", "data", True),
    ("downlink", "data", False),
    ("downlink", "data", True),
    ("uplink", "hello", False),
    ("uplink", "hello", True),
    ("uplink", "control", True),
    ("downlink", "control", True),
)


def drawn(
    name: str,
    about: str,
    direction: Direction = "uplink",
    kind: Kind = "data",
    *,
    bound: bool = False,
    size: int = 20,
) -> Case:
    """Return a case with everything drawn from its name, under a device key of its own."""
    return Case(
        name=name,
        about=about,
        device_key=draw(name, "device_key", 32),
        address=draw(name, "address", 8),
        epoch=0,
        direction=direction,
        kind=kind,
        session=draw(name, "session", 16) if bound else b"",
        context=b"",
        counter=1 + int.from_bytes(draw(name, "counter", 3), "big"),
        plaintext=draw_text(name, "plaintext", size),
    )


def under_fleet(case: Case, fleet_key: bytes, epoch: int) -> Case:
    """Return the case under the device key that the fleet key gives its address."""
    key = ratchet(device_key(fleet_key, case.address), epoch)
    return replace(case, fleet_key=fleet_key, device_key=key, epoch=epoch)


def shape_name(direction: Direction, kind: Kind, *, bound: bool) -> str:
    return f"{direction}-{kind}-{'bound' if bound else 'unbound'}"
