"""The records of sealed_detect.txt: which format a payload has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..classic.cases import ported, separated, with_iv_giving_first_bytes, with_iv_where
from ..classic.model import Separated
from ..classic.open import tell_format
from ..classic.seal import frame_of
from ..draw import draw, flipped, put
from ..outcomes import Rejected
from .armor import armor
from .cases import SHAPES, drawn, shape_name
from .frame import seal
from .sealing import typical


class Detection(NamedTuple):
    """A payload and the format that it is told as."""

    name: str
    about: str
    payload: bytes
    expect: str
    port_allowed: bool = False


def told(payload: bytes, *, port_allowed: bool) -> str:
    """Return the word for what the payload is told as."""
    try:
        return tell_format(payload, port_allowed=port_allowed)
    except Rejected as rejected:
        return rejected.verdict


def detect_records() -> Iterator[Detection]:
    yield from classic_detections()
    yield from sealed_detections()
    yield from hex_detections()
    yield from malformed_detections()


def classic_frame(name: str, layout: Separated, first: bytes = b"") -> bytes:
    case = separated(name, "", layout)
    return frame_of(with_iv_giving_first_bytes(case, first) if first else case)


def classic_detections() -> Iterator[Detection]:
    frame = classic_frame("detect-raw", "raw")
    yield Detection("raw", "A classic raw frame.", frame, "raw")
    for name, about, first in (
        ("f5", "A classic raw frame that begins with f5, as one in 256 does.", b"\xf5"),
        ("9q", "A classic raw frame that begins with 9Q.", b"9Q"),
    ):
        frame = classic_frame(f"detect-raw-{name}", "raw", first)
        yield Detection(f"raw-begins-with-{name}", about, frame, "raw")
    frame = put(classic_frame("detect-raw-short", "raw")[:59], 18, b"," + b"0" * 40)
    yield Detection("raw-59-bytes", "As short as the first rule takes.", frame, "raw")
    about = "Hex digits in upper case after the last comma."
    frame = classic_frame("detect-raw-upper", "raw")
    yield Detection("raw-upper-case-mac", about, frame[:-40] + frame[-40:].upper(), "raw")
    case = separated("detect-raw-four-commas", "", "raw")
    frame = frame_of(with_iv_where(case, lambda frame: frame.count(b",") == 4))
    yield Detection("raw-four-commas", "A classic raw frame with a fourth comma.", frame, "raw")
    frame = classic_frame("detect-hex", "hex")
    yield Detection("hex", "A classic hex frame.", frame, "hex")
    yield Detection("hex-upper-case", "A classic hex frame in upper case.", frame.upper(), "hex")
    frame = classic_frame("detect-hex-f5", "hex", b"\xf5")
    about = "A classic hex frame whose first digits are f5: no byte f5."
    yield Detection("hex-begins-with-digits-f5", about, frame, "hex")
    yield Detection("hex-three-commas", "Three commas and nothing else.", b",,,", "hex")
    about = "JSON with three commas: told as hex, and then malformed as such."
    yield Detection("hex-json", about, b'{"a":1,"b":2,"c":3,"d":4}', "hex")


def sealed_detections() -> Iterator[Detection]:
    for direction, kind, bound in SHAPES:
        shape = shape_name(direction, kind, bound=bound)
        case = typical(drawn(f"detect-{shape}", "", direction, kind, bound=bound))
        frame = seal(case)
        yield Detection(f"sealed-{shape}", "A sealed frame.", frame, "sealed")
        yield Detection(f"armored-{shape}", "An armored frame.", armor(frame), "armored")
    good = seal(drawn("detect-damaged", ""))
    for name, about, payload in (
        ("one-byte", "The byte f5 alone.", b"\xf5"),
        ("short", "35 bytes.", good[:35]),
        ("reserved-bit", "A reserved bit: malformed as a sealed frame.", flipped(good, 1, 7)),
        ("and-text", "f5 and text.", b"\xf5hello"),
        ("commas", "f5 and three commas.", b"\xf5a,b,c,d"),
        ("for-raw-no-comma-16", "As long as a raw frame, and no comma at 16.", no_comma(16)),
        ("for-raw-no-comma-last", "As a raw frame, no comma before the digits.", no_comma(-41)),
        ("for-raw-bad-digit", "As a raw frame, its last digit no hex digit.", bad_digit()),
        ("for-raw-length-10", "As a raw frame, short by a byte.", raw_f5()[:-1]),
    ):
        yield Detection(f"sealed-{name}", about, payload, "sealed")
    for name, about, payload in (
        ("two-characters", "9Q alone.", b"9Q"),
        ("padding", "9Q and padding.", b"9QAA="),
        ("newline", "An armor and a newline.", armor(good) + b"\n"),
        ("commas", "9Q and three commas.", b"9Q,a,b,c"),
        ("text", "Text that begins with 9Q.", b"9Questions"),
    ):
        yield Detection(f"armored-{name}", about, payload, "armored")
    yield Detection(
        "armored-port-allowed", "Port makes no difference.", armor(good), "armored", True
    )
    yield Detection("sealed-port-allowed", "Port makes no difference.", good, "sealed", True)


def raw_f5() -> bytes:
    return classic_frame("detect-raw-f5-damaged", "raw", b"\xf5")


def no_comma(offset: int) -> bytes:
    frame = raw_f5()
    return put(frame, offset % len(frame), b";")


def bad_digit() -> bytes:
    return raw_f5()[:-1] + b"g"


def hex_detections() -> Iterator[Detection]:
    """Yield payloads of hex digits alone: port, where the keyring allows it."""
    port = frame_of(ported("detect-port", ""))
    good = seal(drawn("detect-in-hex", ""))
    for name, about, payload in (
        ("port", "A frame of the port.", port),
        ("port-lower-case", "A frame of the port in lower case.", port.lower()),
        ("sealed-in-hex", "A sealed frame in hex is no format of its own.", good.hex().encode()),
        ("one-digit", "One hex digit.", b"f"),
        ("number", "A number.", b"215"),
        ("odd-digits", "An odd number of hex digits.", b"abc"),
    ):
        yield Detection(f"{name}-allowed", f"{about} Port is allowed.", payload, "port", True)
        yield Detection(f"{name}-not-allowed", f"{about} Port is not.", payload, "malformed")


def malformed_detections() -> Iterator[Detection]:
    good = seal(drawn("detect-malformed", ""))
    text = armor(good)
    for name, about, payload in (
        ("empty", "An empty payload.", b""),
        ("word", "A word.", b"hello"),
        ("json", "JSON.", b'{"temperature":21.5}'),
        ("nul", "One NUL.", b"\0"),
        ("two-commas", "Two commas.", b"a,b,c"),
        ("four-commas", "Four commas.", b"a,b,c,d,e"),
        ("another-version", "The byte f6 first.", put(good, 0, b"\xf6")),
        ("armor-9r", "Armor of a reserved bit begins with 9R.", armor(flipped(good, 1, 4))),
        ("armor-9g", "Armor of another version.", armor(put(good, 0, b"\xf6"))),
        ("armor-lower-case", "9q is not 9Q.", b"9q" + text[2:]),
        ("armor-after-space", "A space before the armor.", b" " + text),
        ("armor-after-newline", "A newline before the armor.", b"\n" + text),
        ("armor-9", "9 alone, where port is not allowed.", b"9"),
        ("f5-after-nul", "A NUL before a sealed frame.", b"\0" + good),
        (
            "utf-8-of-f5",
            "f5 as a character in UTF-8.",
            "\N{LATIN SMALL LETTER O WITH TILDE}".encode(),
        ),
        ("bom", "A byte order mark before the armor.", b"\xef\xbb\xbf" + text),
        ("minus", "A negative number.", b"-21"),
        ("hex-and-newline", "Hex digits and a newline.", b"c0ffee\n"),
        ("0x", "0x and hex digits.", b"0xc0ffee"),
    ):
        allowed = name in {"empty", "minus", "hex-and-newline", "0x", "word"}
        yield Detection(f"malformed-{name}", about, payload, "malformed", allowed)
    noise = b"\x01" + draw("detect-noise", "noise", 63).replace(b",", b".")
    yield Detection("malformed-noise", "64 bytes of noise.", noise, "malformed")
