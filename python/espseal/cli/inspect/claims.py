"""What the fields of a sealed frame say, in words; claims, until it verifies."""

from typing import Final

from espseal import Field, Inspection
from espseal.cli.inspect.words import local

_MAGIC: Final = 0xF5
_RESERVED: Final = 0xF0
_KINDS: Final = ("data", "hello", "control")
# Where a host that meets a device lifts its counter to (SEALED.md, W2): a time in seconds, shifted.
_LIFT_BITS: Final = 24
_LIFTED: Final = range(1_577_836_800 << _LIFT_BITS, 1 << 56)


def said(inspection: Inspection, field: Field) -> str:
    """What one field of a frame says, which may be malformed."""
    content = inspection.frame[field.offset : field.offset + field.size]
    number = int.from_bytes(content)
    match field.name:
        case "magic":
            return "version 1" if number == _MAGIC else "a version that is not known here"
        case "flags":
            return _flags(number)
        case "epoch":
            return f"{number}"
        case "address":
            return "of the device"
        case "counter":
            return counter(number)
        case "V":
            return "the tag"
        case _:
            return "the data, encrypted" if content else "no data"


def counter(number: int) -> str:
    """A counter; where its host has lifted it, also how far it has come since."""
    if number not in _LIFTED:
        return f"{number}"
    time, above = divmod(number, 1 << _LIFT_BITS)
    return f"{number},\n{above} above {local(time)}"


def _flags(flags: int) -> str:
    kind = flags >> 2 & 3
    parts = [
        "downlink" if flags & 1 else "uplink",
        _KINDS[kind] if kind < len(_KINDS) else f"kind {kind}",
        "bound to a session" if flags & 2 else "not bound",
    ]
    if flags & _RESERVED:
        parts.append(f"reserved bits {flags & _RESERVED:#04x}")
    return ", ".join(parts)
