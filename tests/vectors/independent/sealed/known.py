"""The answers that the design of the sealed frame states."""

from __future__ import annotations

from collections.abc import Iterator

from .cases import COUNTING_KEY, KNOWN_ADDRESS, under_fleet
from .model import Case


def known_answers() -> Iterator[tuple[Case, bytes]]:
    """Yield the two stated answers, with their frames."""
    case = Case(
        name="known-uplink",
        about="Uplink data, unbound, epoch 0, counter 1.",
        device_key=b"",
        address=KNOWN_ADDRESS,
        epoch=0,
        direction="uplink",
        kind="data",
        session=b"",
        context=b"",
        counter=1,
        plaintext=b"12345678901234567890",
    )
    yield (
        under_fleet(case, COUNTING_KEY, 0),
        bytes.fromhex(
            "f500000000112233445566770000000000000001611bb82078ad9ab653060b4cc8cd01e1"
            "2b46114d3126539acc413bb7fa701b7a03cd24e3"
        ),
    )
    case = Case(
        name="known-downlink",
        about="Downlink data, bound, with a context, epoch 1, counter 2^40 + 5.",
        device_key=b"",
        address=KNOWN_ADDRESS,
        epoch=1,
        direction="downlink",
        kind="data",
        session=bytes(range(0x20, 0x30)),
        context=b"home/relay/cmd",
        counter=(1 << 40) + 5,
        plaintext=b"relay=on",
    )
    yield (
        under_fleet(case, COUNTING_KEY, 1),
        bytes.fromhex(
            "f503000100112233445566770000010000000005416ba348f3cb3e1b223cc53487e4450c"
            "93e4a0ad44e35afa"
        ),
    )


def ctr_carry() -> Case:
    """Return the case whose V ends in 9effff: CTR carries across bytes in its second block."""
    case = Case(
        name="ctr-carry",
        about="V ends in 9effff: adding 1 to the counter block carries across bytes.",
        device_key=b"",
        address=KNOWN_ADDRESS,
        epoch=0,
        direction="uplink",
        kind="data",
        session=b"",
        context=b"",
        counter=0x9E49,
        plaintext=bytes(40),
    )
    return under_fleet(case, COUNTING_KEY, 0)
