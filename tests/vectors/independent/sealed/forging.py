"""Well-formed frames that do not verify, or that go the other way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..draw import draw, draw_text, flipped, put
from ..primitives import siv_seal
from .armor import armor
from .cases import SHAPES, drawn, shape_name
from .frame import header_of, key_of, seal
from .keys import frame_keys, ratchet
from .model import HEADER, LAST_COUNTER, MAX_FRAME, OVERHEAD, Case, Rejection
from .sealing import typical


def forged_records() -> Iterator[Rejection]:
    yield from tampered_records()
    yield from length_records()
    yield from session_records()
    yield from wrong_secret_records()
    yield from spliced_records()
    yield from otherwise_sealed_records()


def forged(case: Case, frame: bytes) -> Rejection:
    return Rejection(case, "binary", frame, "forged")


def tampered_records() -> Iterator[Rejection]:
    """Yield good frames with one bit flipped, and still well-formed."""
    for index in range(2, HEADER):
        bit = 7 - index % 8
        about = f"Bit {bit} of byte {index} of the header is flipped."
        case = drawn(f"flipped-header-{index}", about)
        yield forged(case, flipped(seal(case), index, bit))
    for index in range(HEADER, OVERHEAD):
        bit = index % 8
        about = f"Bit {bit} of byte {index - HEADER} of V is flipped."
        case = drawn(f"flipped-tag-{index - HEADER}", about)
        yield forged(case, flipped(seal(case), index, bit))
    for name, index, bit in (
        ("first", 36, 7),
        ("block-end", 51, 0),
        ("block-2", 52, 7),
        ("last", -1, 0),
    ):
        case = drawn(f"flipped-ciphertext-{name}", f"One bit of C is flipped: {name}.", size=40)
        yield forged(case, flipped(seal(case), index, bit))
    case = drawn("flipped-all-of-tag", "Every bit of V is flipped.")
    frame = seal(case)
    yield forged(case, put(frame, HEADER, bytes(byte ^ 0xFF for byte in frame[20:36])))
    for bit in (31, 63):
        # CTR ignores these bits of V, so they change nothing that is deciphered.
        case = drawn(f"flipped-tag-bit-{bit}", f"Bit {bit} of V, which CTR ignores, is flipped.")
        yield forged(case, flipped(seal(case), 35 - bit // 8, 7))
    for name, value in (("zeros", b"\0"), ("ones", b"\xff")):
        case = drawn(f"tag-{name}", f"V is all {name}.")
        yield forged(case, put(seal(case), HEADER, value * 16))
        case = drawn(f"tag-{name}-no-data", f"V is all {name}, and there is no data.", size=0)
        yield forged(case, put(seal(case), HEADER, value * 16))
    for name, about, flags in (
        ("data-to-hello", "Data made a hello.", 0x04),
        ("data-to-bound", "Unbound data made bound.", 0x02),
    ):
        case = drawn(f"flags-{name}", about)
        receiver = replace(case, session=draw(case.name, "offered", 16)) if flags & 2 else case
        yield forged(receiver, put(seal(case), 1, bytes([flags])))
    for name, about, flags in (
        ("bound-data-to-control", "Bound data made control.", 0x0A),
        ("bound-data-to-hello", "Bound data made a hello.", 0x06),
    ):
        case = drawn(f"flags-{name}", about, bound=True)
        yield forged(case, put(seal(case), 1, bytes([flags])))
    case = drawn("counter-plus-1", "The counter is raised by 1.")
    yield forged(case, put(seal(case), 12, (case.counter + 1).to_bytes(8, "big")))
    case = drawn("counter-last", "The counter is made the last one.")
    yield forged(case, put(seal(case), 12, LAST_COUNTER.to_bytes(8, "big")))
    case = drawn("armored-flipped", "An armored frame with a bit of V flipped.")
    yield Rejection(case, "armor", armor(flipped(seal(case), 20, 0)), "forged")
    case = drawn("armored-lower-case", "An armor whose letters changed case.")
    text = armor(seal(case))
    yield Rejection(case, "armor", text[:32] + text[32:].swapcase()[:-1] + text[-1:], "forged")


def length_records() -> Iterator[Rejection]:
    for size in (1, 16, 17, 20):
        case = drawn(f"cut-by-1-of-{size}", f"The last of {size} bytes is missing.", size=size)
        yield forged(case, seal(case)[:-1])
        case = drawn(f"longer-by-1-than-{size}", f"A byte more than {size}.", size=size)
        yield forged(case, seal(case) + b"\0")
    case = drawn("longer-than-nothing", "A byte after a frame without data.", size=0)
    yield forged(case, seal(case) + b"\x80")
    case = drawn("cut-to-nothing", "All data are missing.")
    yield forged(case, seal(case)[:OVERHEAD])
    case = drawn("cut-by-a-block", "The last block is missing.", size=32)
    yield forged(case, seal(case)[:-16])
    case = drawn("twice", "A frame twice over.")
    yield forged(case, seal(case) * 2)
    case = drawn("at-limit", "Zeros after a good frame, up to the limit of 16384 bytes.")
    frame = seal(case)
    yield Rejection(case, "binary", frame, "forged", tail=(MAX_FRAME - len(frame), 0))


def session_records() -> Iterator[Rejection]:
    for direction, kind, bound in SHAPES:
        if not bound:
            continue
        shape = shape_name(direction, kind, bound=True)
        case = typical(
            drawn(f"other-session-{shape}", "Another session.", direction, kind, bound=True)
        )
        yield forged(replace(case, session=draw(case.name, "other", 16)), seal(case))
        about = "A bound frame, and the receiver has no session."
        case = typical(drawn(f"no-session-{shape}", about, direction, kind, bound=True))
        yield forged(replace(case, session=b""), seal(case))
    case = drawn("session-bit", "The session differs in its last bit.", bound=True)
    yield forged(replace(case, session=flipped(case.session, 15, 0)), seal(case))
    case = drawn("session-cleared", "A bound frame made unbound.", bound=True)
    yield forged(replace(case, session=b""), put(seal(case), 1, b"\0"))
    case = drawn("session-set", "An unbound frame made bound, for a receiver with zeros.")
    yield forged(replace(case, session=bytes(16)), put(seal(case), 1, b"\x02"))


def wrong_secret_records() -> Iterator[Rejection]:
    for direction, kind, bound in SHAPES:
        shape = shape_name(direction, kind, bound=bound)
        case = typical(
            drawn(f"other-key-{shape}", "Another device key.", direction, kind, bound=bound)
        )
        yield forged(replace(case, device_key=draw(case.name, "other", 32)), seal(case))
    case = drawn("key-bit", "The device key differs in its last bit.")
    yield forged(replace(case, device_key=flipped(case.device_key, 31, 0)), seal(case))
    case = drawn("key-of-next-epoch", "The receiver's key is a step ahead.")
    yield forged(replace(case, device_key=ratchet(case.device_key)), seal(case))
    case = drawn("key-of-last-epoch", "The receiver's key is a step behind.")
    sender = replace(case, device_key=ratchet(case.device_key))
    yield forged(case, seal(sender))
    for name, about, sent, offered in (
        ("other", "Another context.", b"home/a", b"home/b"),
        ("none-sent", "The receiver has a context, the sender none.", b"", b"home/a"),
        ("none-offered", "The sender has a context, the receiver none.", b"home/a", b""),
        ("shorter", "The context is shorter by its last byte.", b"home/a", b"home/"),
        ("with-nul", "The context ends in a NUL.", b"home/a", b"home/a\0"),
        ("case", "The context in upper case.", b"home/a", b"HOME/A"),
    ):
        case = replace(drawn(f"context-{name}", about), context=sent)
        yield forged(replace(case, context=offered), seal(case))
    case = drawn("context-as-session", "The context is what was the session.", bound=True)
    moved = siv_seal(key_of(case), (header_of(case), b"", case.session), case.plaintext)
    yield forged(case, header_of(case) + moved)


def spliced_records() -> Iterator[Rejection]:
    for name, start, end in (("header", 0, 20), ("tag", 20, 36), ("ciphertext", 36, 56)):
        case = drawn(f"spliced-{name}", f"The {name} of the device's next frame.")
        following = replace(
            case, counter=case.counter + 1, plaintext=draw_text(case.name, "following", 20)
        )
        yield forged(case, put(seal(case), start, seal(following)[start:end]))
    case = drawn("blocks-exchanged", "The two blocks of C are exchanged.", size=32)
    frame = seal(case)
    yield forged(case, frame[:36] + frame[52:68] + frame[36:52])
    case = drawn("tag-and-ciphertext-exchanged", "V and C are exchanged.", size=16)
    frame = seal(case)
    yield forged(case, frame[:20] + frame[36:] + frame[20:36])
    case = drawn("other-device", "A good frame, its address that of another device.")
    yield forged(case, put(seal(case), 4, draw(case.name, "other", 8)))


def otherwise_sealed_records() -> Iterator[Rejection]:
    """Yield frames of senders that seal in some other way."""
    case = drawn("sender-key-halves-exchanged", "The sender exchanges the CMAC and the CTR key.")
    key, header = key_of(case), header_of(case)
    yield forged(case, header + siv_seal(key[16:] + key[:16], (header, b"", b""), case.plaintext))
    case = drawn("sender-key-of-other-direction", "The sender takes K_downlink for an uplink.")
    key, header = frame_keys(case.device_key).downlink, header_of(case)
    yield forged(case, header + siv_seal(key, (header, b"", b""), case.plaintext))
    case = drawn("sender-device-key", "The sender seals under DK_e itself.")
    header = header_of(case)
    yield forged(case, header + siv_seal(case.device_key, (header, b"", b""), case.plaintext))
    components: tuple[tuple[str, str, tuple[bytes, ...]], ...] = (
        ("header-alone", "The sender leaves out empty components.", (b"",)),
        ("two-components", "The sender leaves out the context.", (b"", b"")),
        ("four-components", "The sender adds an empty component.", (b"", b"", b"", b"")),
    )
    for name, about, parts in components:
        case = drawn(f"sender-{name}", about)
        key, header = key_of(case), header_of(case)
        yield forged(case, header + siv_seal(key, (header, *parts[1:]), case.plaintext))
    case = drawn("sender-joined", "The sender joins header and session.", bound=True)
    key, header = key_of(case), header_of(case)
    yield forged(case, header + siv_seal(key, (header + case.session, b"", b""), case.plaintext))
    case = drawn("sender-session-before-header", "The sender puts the session first.", bound=True)
    key, header = key_of(case), header_of(case)
    yield forged(case, header + siv_seal(key, (case.session, header, b""), case.plaintext))
    case = drawn("sender-no-header", "The sender leaves out the header.")
    header = header_of(case)
    yield forged(case, header + siv_seal(key_of(case), (b"", b"", b""), case.plaintext))
    case = drawn("sender-little-endian", "The sender writes the counter little-endian.")
    header = header_of(case)[:12] + case.counter.to_bytes(8, "little")
    correct = siv_seal(key_of(case), (header_of(case), b"", b""), case.plaintext)
    yield forged(case, header + correct)


def wrong_direction_records() -> Iterator[Rejection]:
    for direction, kind, bound in SHAPES:
        if (direction, kind) == ("uplink", "hello"):
            continue
        shape = shape_name(direction, kind, bound=bound)
        about = f"A good {direction}, where the other direction is expected."
        case = typical(drawn(f"reflected-{shape}", about, direction, kind, bound=bound))
        yield turned(case, seal(case))
    for bound in (False, True):
        shape = shape_name("uplink", "hello", bound=bound)
        about = "A good hello, where downlinks are expected."
        case = typical(drawn(f"reflected-{shape}", about, "uplink", "hello", bound=bound))
        yield turned(case, seal(case))
    case = drawn("reflected-and-forged", "A forged uplink counts as one.")
    yield turned(case, flipped(seal(case), 20, 0))
    case = drawn("reflected-and-other-key", "An uplink under another key counts as one.")
    yield turned(replace(case, device_key=draw(case.name, "other", 32)), seal(case))
    case = drawn("flipped-direction", "Data whose direction bit is flipped.")
    yield Rejection(case, "binary", flipped(seal(case), 1, 0), "wrong_direction")
    case = drawn("armored-reflected", "An armored uplink, where downlinks are expected.")
    receiver = replace(case, direction="downlink")
    yield Rejection(receiver, "armor", armor(seal(case)), "wrong_direction")


def turned(case: Case, frame: bytes) -> Rejection:
    """Return the frame, given to a receiver of the other direction."""
    other = replace(case, direction="downlink" if case.direction == "uplink" else "uplink")
    return Rejection(other, "binary", frame, "wrong_direction")


def direction_and_forged_records() -> Iterator[Rejection]:
    """Yield frames turned by hand, for the direction they then have: the key is another."""
    case = drawn("turned-data", "An uplink whose direction bit is flipped, taken as a downlink.")
    receiver = replace(case, direction="downlink")
    yield forged(receiver, flipped(seal(case), 1, 0))
    case = drawn("turned-bound-data", "A bound uplink made a downlink.", bound=True)
    yield forged(replace(case, direction="downlink"), flipped(seal(case), 1, 0))
    case = drawn("turned-command", "A command made an uplink.", "downlink", bound=True)
    yield forged(replace(case, direction="uplink"), flipped(seal(case), 1, 0))
