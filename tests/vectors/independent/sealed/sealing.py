"""The cases of sealed_seal.txt and sealed_open.txt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..draw import draw, draw_text
from .cases import SHAPES, drawn, shape_name, under_fleet
from .frame import seal
from .known import ctr_carry, known_answers
from .model import LAST_COUNTER, MAX_FRAME, OVERHEAD, Case, Kind


def sealed_cases() -> Iterator[Case]:
    """Yield the cases that a sealer accepts."""
    for known, frame in known_answers():
        assert seal(known) == frame, f"{known.name}: not the frame that the design states"
        yield known
    carry = ctr_carry()
    assert seal(carry)[20:36].hex().endswith("9effff"), "V does not end as the design states"
    yield carry
    yield from shapes()
    yield from sizes()
    yield from counters()
    yield from contexts()
    yield from values()


def shapes() -> Iterator[Case]:
    for direction, kind, bound in SHAPES:
        shape = shape_name(direction, kind, bound=bound)
        for epoch in (0, 1, 2, 3):
            name = f"{shape}-epoch-{epoch}"
            about = f"{shape.replace('-', ', ').capitalize()}; epoch {epoch} of a fleet's device."
            case = drawn(name, about, direction, kind, bound=bound)
            yield under_fleet(typical(case), draw(name, "fleet_key", 32), epoch)
        about = f"{shape.replace('-', ', ').capitalize()}; the last epoch."
        case = drawn(f"{shape}-epoch-65535", about, direction, kind, bound=bound)
        yield replace(typical(case), epoch=65535)


def typical(case: Case) -> Case:
    """Return the case with a plaintext that its kind has."""
    plaintexts: dict[Kind, bytes] = {
        "data": case.plaintext,
        "hello": draw(case.name, "own-session", 16) + b"1.0.0",
        "control": b"\x04" if case.direction == "downlink" else b"\x06\x01",
    }
    return replace(case, plaintext=plaintexts[case.kind])


def sizes() -> Iterator[Case]:
    for size in (0, 1, 15, 16, 17, 20, 31, 32, 33, 47, 48, 200):
        yield drawn(f"uplink-size-{size}", f"A plaintext of {size} bytes.", size=size)
        about = f"A plaintext of {size} bytes to a device."
        yield drawn(f"downlink-size-{size}", about, "downlink", bound=True, size=size)


def counters() -> Iterator[Case]:
    for name, counter in (
        ("1", 1),
        ("255", 255),
        ("256", 256),
        ("2-to-the-24", 1 << 24),
        ("2-to-the-31", 1 << 31),
        ("2-to-the-32-less-1", (1 << 32) - 1),
        ("2-to-the-32", 1 << 32),
        ("2-to-the-53-and-1", (1 << 53) + 1),
        ("2-to-the-63", 1 << 63),
        ("last", LAST_COUNTER),
    ):
        case = drawn(f"uplink-counter-{name}", f"Counter {counter}, uplink.")
        yield replace(case, counter=counter)
        about = f"Counter {counter}, downlink."
        case = drawn(f"downlink-counter-{name}", about, "downlink", bound=True)
        yield replace(case, counter=counter)


def contexts() -> Iterator[Case]:
    for name, about, context in (
        ("1-byte", "A context of 1 byte.", b"x"),
        ("topic", "A context that is a topic.", b"espseal/0011223344556677/up"),
        ("16", "A context of one block.", b"sixteen bytes ok"),
        ("17", "A context over one block.", b"seventeen bytes !"),
        ("64", "A context of 64 bytes.", draw_text("context-64", "context", 64)),
        ("zeros", "A context of 16 zeros is not an empty one.", bytes(16)),
        ("8-bit", "A context of any bytes.", bytes(range(0xE0, 0x100)) + b"\0"),
    ):
        yield replace(drawn(f"uplink-context-{name}", about), context=context)
        case = drawn(f"uplink-bound-context-{name}", f"{about} Bound.", bound=True)
        yield replace(case, context=context)


def values() -> Iterator[Case]:
    plaintexts: tuple[tuple[str, str, bytes], ...] = (
        ("zeros", "A plaintext of 20 zeros keeps them all.", bytes(20)),
        ("one-nul", "A plaintext that is one NUL.", b"\0"),
        ("ends-in-nul", "A plaintext that ends in NULs keeps them.", b"21.5\0\0\0"),
        ("ends-in-80", "A plaintext that ends like S2V's padding.", b"21.5\x80"),
        ("one-80", "A plaintext that is the first byte of S2V's padding.", b"\x80"),
        ("15-and-80", "One block that ends like S2V's padding.", b"fifteen bytes..\x80"),
        ("8-bit", "Every byte value.", bytes(range(256))),
        ("utf-8", "A plaintext in UTF-8.", "21,5 \N{DEGREE SIGN}C".encode()),
        ("frame", "A plaintext that is a frame.", seal(next(known_answers())[0])),
    )
    for name, about, plaintext in plaintexts:
        yield replace(drawn(f"plaintext-{name}", about), plaintext=plaintext)
    for name, about, address in (
        ("zeros", "An address of zeros.", bytes(8)),
        ("ones", "An address of ff.", b"\xff" * 8),
    ):
        case = replace(drawn(f"address-{name}", about), address=address)
        yield under_fleet(case, draw(case.name, "fleet_key", 32), 0)
    for name, about, session in (
        ("zeros", "A session of 16 zeros is not an empty one.", bytes(16)),
        ("ones", "A session of ff.", b"\xff" * 16),
    ):
        yield replace(drawn(f"session-{name}", about), session=session)
    case = drawn("device-key-zeros", "A device key of zeros.")
    yield replace(case, device_key=bytes(32))
    case = drawn("fleet-key-zeros", "A fleet key of zeros.")
    yield under_fleet(case, bytes(32), 0)
    case = drawn("header-ones", "All bits set that a header may have set.", "downlink", "control")
    yield replace(
        case, session=b"\xff" * 16, epoch=65535, address=b"\xff" * 8, counter=LAST_COUNTER
    )


def limit_cases() -> Iterator[Case]:
    """Yield the cases that are too long to write down: their plaintext is one byte repeated."""
    size = MAX_FRAME - OVERHEAD
    case = drawn("largest", f"A frame of {MAX_FRAME} bytes, the limit.")
    yield replace(case, plaintext=b"a" * size)
    case = drawn("largest-less-1", f"A frame of {MAX_FRAME - 1} bytes.", "downlink", bound=True)
    yield replace(case, plaintext=b"\0" * (size - 1))


def refused_cases() -> Iterator[tuple[Case, str]]:
    """Yield the cases that a sealer refuses, each for one reason only, with the code."""
    for direction, kind, bound in SHAPES:
        name = f"refused-counter-zero-{shape_name(direction, kind, bound=bound)}"
        case = drawn(name, "Counters begin at 1.", direction, kind, bound=bound)
        yield replace(typical(case), counter=0), "invalid_counter"
    for bound in (False, True):
        name = f"refused-downlink-hello-{'bound' if bound else 'unbound'}"
        case = drawn(name, "Hosts send no hello.", "downlink", "hello", bound=bound)
        yield typical(case), "invalid_kind"
    about = "Control is always bound."
    case = drawn("refused-unbound-control-uplink", about, "uplink", "control")
    yield typical(case), "session_required"
    case = drawn("refused-unbound-control-downlink", about, "downlink", "control")
    yield typical(case), "session_required"
    for name, excess in (("by-1", 1), ("by-16", 16)):
        case = drawn(f"refused-too-long-{name}", f"Over the limit by {excess}.")
        yield replace(case, plaintext=b"a" * (MAX_FRAME - OVERHEAD + excess)), "frame_too_long"
