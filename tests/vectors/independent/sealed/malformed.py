"""Payloads that are no sealed frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..draw import flipped, put
from .armor import armor
from .cases import drawn
from .frame import seal, seal_unchecked
from .model import MAX_FRAME, Case, Rejection


def malformed_records() -> Iterator[Rejection]:
    yield from length_records()
    yield from flag_records()
    yield from version_records()
    yield from direction_records()
    yield from counter_records()
    yield from order_records()
    yield from armored_header_records()


def malformed(case: Case, frame: bytes, reason: str, offset: int) -> Rejection:
    return Rejection(case, "binary", frame, "malformed", reason, offset)


def with_flags(name: str, about: str, flags: int, reason: str) -> Rejection:
    """Return a good frame of data whose flags were overwritten."""
    case = drawn(name, about)
    return malformed(case, put(seal(case), 1, bytes([flags])), reason, 1)


def length_records() -> Iterator[Rejection]:
    for size in (0, 1, 2, 4, 12, 19, 20, 35):
        case = drawn(f"short-{size}", f"The first {size} bytes of a good frame.")
        yield malformed(case, seal(case)[:size], "too_short", size)
    case = drawn("short-no-data", "35 of the 36 bytes of a frame without data.", size=0)
    yield malformed(case, seal(case)[:-1], "too_short", 35)
    for name, about, excess in (
        ("over-limit", "One byte over the limit of 16384.", 1),
        ("over-limit-by-16", "16 bytes over the limit.", 16),
        ("over-limit-by-100", "100 bytes over the limit.", 100),
    ):
        case = drawn(name, about)
        frame = seal(case)
        tail = (MAX_FRAME + excess - len(frame), 0)
        yield replace(malformed(case, frame, "too_long", MAX_FRAME), tail=tail)


def flag_records() -> Iterator[Rejection]:
    for bit in (4, 5, 6, 7):
        about = f"Bit {bit} of the flags is set."
        yield with_flags(f"reserved-bit-{bit}", about, 1 << bit, "reserved_bits")
    yield with_flags("reserved-bits-all", "The four reserved bits are set.", 0xF0, "reserved_bits")
    yield with_flags("flags-ones", "All bits of the flags are set.", 0xFF, "reserved_bits")
    for name, flags in (("uplink", 0x0C), ("downlink", 0x0D), ("bound", 0x0E), ("both", 0x0F)):
        yield with_flags(f"kind-3-{name}", f"Kind 3, flags {flags:02x}.", flags, "unknown_kind")


def version_records() -> Iterator[Rejection]:
    for version in (0x00, 0x7B, 0xF4, 0xF6, 0xF7, 0xFF):
        about = f"The first byte is {version:02x}."
        case = drawn(f"version-{version:02x}", about)
        yield malformed(case, put(seal(case), 0, bytes([version])), "unsupported_version", 0)


def direction_records() -> Iterator[Rejection]:
    for name, flags in (("unbound", 0x05), ("bound", 0x07)):
        about = "The flags of data were made those of a hello from the host."
        yield with_flags(f"downlink-hello-{name}", about, flags, "downlink_hello")
    case = drawn(
        "downlink-hello-sealed", "A hello from the host, well sealed.", "downlink", "hello"
    )
    frame = seal_unchecked(replace(case, plaintext=bytes(16)))
    yield malformed(case, frame, "downlink_hello", 1)
    for name, flags in (("uplink", 0x08), ("downlink", 0x09)):
        about = "The flags of data were made those of an unbound control."
        yield with_flags(f"unbound-control-{name}", about, flags, "unbound_control")
    case = drawn("unbound-control-sealed", "An unbound control, well sealed.", "uplink", "control")
    frame = seal_unchecked(replace(case, plaintext=b"\x06\x01"))
    yield malformed(case, frame, "unbound_control", 1)


def counter_records() -> Iterator[Rejection]:
    case = replace(drawn("counter-zero", "Counter 0, well sealed."), counter=0)
    yield malformed(case, seal_unchecked(case), "counter_zero", 12)
    case = drawn("counter-zero-downlink", "Counter 0 to a device.", "downlink", bound=True)
    case = replace(case, counter=0)
    yield malformed(case, seal_unchecked(case), "counter_zero", 12)
    case = drawn("counter-zeroed", "The counter of a good frame was set to 0.")
    yield malformed(case, put(seal(case), 12, bytes(8)), "counter_zero", 12)


def order_records() -> Iterator[Rejection]:
    """Yield payloads with two faults: lengths count first, then the header from the left."""
    case = drawn("short-and-reserved", "Short, and a reserved bit: the length counts.")
    yield malformed(case, flipped(seal(case), 1, 7)[:35], "too_short", 35)
    case = drawn("over-limit-and-version", "Over the limit, and another version.")
    frame = put(seal(case), 0, b"\xf6")
    tail = (MAX_FRAME + 1 - len(frame), 0)
    yield replace(malformed(case, frame, "too_long", MAX_FRAME), tail=tail)
    yield with_flags("reserved-and-kind-3", "A reserved bit and kind 3.", 0x1C, "reserved_bits")
    case = drawn("kind-3-and-counter-zero", "Kind 3 and counter 0.")
    frame = put(put(seal(case), 1, b"\x0c"), 12, bytes(8))
    yield malformed(case, frame, "unknown_kind", 1)
    about = "A downlink with counter 0, where uplinks are expected."
    case = drawn("malformed-and-wrong-direction", about)
    frame = put(put(seal(case), 1, b"\x01"), 12, bytes(8))
    yield malformed(case, frame, "counter_zero", 12)


def armored_header_records() -> Iterator[Rejection]:
    """Yield good armor of a frame with a fault: the offset is that in the frame."""
    for name, about, offset, value, reason in (
        ("reserved-bit", "A reserved bit: begins with 9R.", 1, b"\x10", "reserved_bits"),
        ("version", "Another version: begins with 9g.", 0, b"\xf6", "unsupported_version"),
        ("kind-3", "Armor of kind 3.", 1, b"\x0c", "unknown_kind"),
        ("downlink-hello", "Armor of a hello from the host.", 1, b"\x05", "downlink_hello"),
        ("unbound-control", "Armor of an unbound control.", 1, b"\x08", "unbound_control"),
        ("counter-zero", "Armor of a frame with counter 0.", 12, bytes(8), "counter_zero"),
    ):
        case = drawn(f"armored-{name}", about)
        text = armor(put(seal(case), offset, value))
        yield Rejection(case, "armor", text, "malformed", reason, offset)
    for size in (0, 1, 2, 3, 34, 35):
        case = drawn(f"armored-short-{size}", f"Armor of the first {size} bytes of a good frame.")
        text = armor(seal(case)[:size])
        yield Rejection(case, "armor", text, "malformed", "too_short", size)
