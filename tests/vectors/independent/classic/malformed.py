"""Payloads that are no classic frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from ..draw import put
from ..primitives import pkcs7_padded
from .cases import (
    draw_session,
    hex_texts,
    largest_data,
    malformed,
    plain,
    ported,
    separated,
    with_iv_where,
)
from .model import MAX_FRAME, SEPARATED, Record
from .seal import fields_of, frame_of, port_frame


def too_long_records() -> Iterator[Record]:
    for layout in SEPARATED:
        case = plain(
            f"{layout}-too-long", "A good frame of 2059 bytes.", layout, largest_data(layout) + 1
        )
        yield malformed(case, frame_of(case), "too_long", MAX_FRAME)
    case = ported("port-too-long", "A good frame of 2056 bytes.", largest_data("port") + 1)
    yield malformed(case, frame_of(case), "too_long", MAX_FRAME)
    case = ported("port-2049-digits", "One digit over the limit.")
    yield malformed(case, b"0" * 2049, "too_long", MAX_FRAME)
    case = ported("port-2048-digits", "At the limit; the length is wrong for another reason.")
    yield malformed(case, b"0" * 2048, "port_length", 2048)
    case = plain("hex-2049-bytes", "One byte over the limit, no frame either.", "hex")
    yield malformed(case, b"x" * 2049, "too_long", MAX_FRAME)
    case = plain("hex-2048-bytes", "At the limit, no frame.", "hex")
    yield malformed(case, b"x" * 2048, "unrecognised", 0)
    case = plain("raw-newlines-over-limit", "Newlines after the largest frame.", "raw", 1968)
    frame = frame_of(case)
    yield malformed(case, frame.ljust(2049, b"\n"), "too_long", MAX_FRAME)


def unrecognised_records() -> Iterator[Record]:
    def lone(name: str, about: str, frame: bytes) -> Record:
        case = replace(separated(name, about, "hex"), node_id=b"", iv=b"", data=b"")
        return malformed(case, frame, "unrecognised", 0)

    yield lone("empty", "An empty payload.", b"")
    yield lone("one-nul", "One NUL.", b"\0")
    yield lone("one-comma", "One comma.", b",")
    yield lone("text", "A word.", b"hello")
    yield lone("json-reading", "JSON without a comma.", b'{"temperature":21.5}')
    yield lone("mac-alone", "40 hex digits, where port frames are not allowed.", b"0" * 40)
    yield lone("comma-and-mac", "A comma and 40 hex digits.", b"," + b"0" * 40)
    yield lone("five-commas", "Five commas.", b",,,,,")
    for layout in SEPARATED:
        case = separated(f"{layout}-empty-payload", "An empty payload.", layout)
        yield malformed(case, b"", "unrecognised", 0)
    case = plain("hex-two-commas", "The last separator is missing.", "hex")
    frame = frame_of(case)
    yield malformed(case, frame[:-41] + frame[-40:], "unrecognised", 0)
    case = plain("hex-four-commas", "A comma after the MAC.", "hex")
    yield malformed(case, frame_of(case) + b",", "unrecognised", 0)
    case = plain("hex-semicolons", "Semicolons for commas.", "hex")
    yield malformed(case, frame_of(case).replace(b",", b";"), "unrecognised", 0)
    case = plain("raw-first-separator-changed", "Byte 16 is not a comma.", "raw")
    yield malformed(case, put(frame_of(case), 16, b";"), "unrecognised", 0)
    case = plain("raw-last-separator-changed", "No comma before the MAC.", "raw")
    frame = frame_of(case)
    yield malformed(case, put(frame, len(frame) - 41, b";"), "unrecognised", 0)
    about = "A raw frame with a comma within, short by its last digit."
    case = separated("raw-truncated-four-commas", about, "raw")
    case = with_iv_where(case, lambda frame: frame.count(b",") == 4)
    yield malformed(case, frame_of(case)[:-1], "unrecognised", 0)
    about = "A good port frame, where port frames are not allowed."
    case = replace(ported("port-not-allowed", about), layout="hex", danger_accept_replays=False)
    frame = port_frame(case.keys, case.iv, pkcs7_padded(case.data))
    yield malformed(replace(case, session=draw_session(case.name)), frame, "unrecognised", 0)


def field_length_records() -> Iterator[Record]:
    """Yield hex frames one of whose fields has a wrong length."""
    lengths = (
        ("iv", 0, (0, 30, 31, 33, 64)),
        ("node", 1, (16, 31, 33, 48)),
        ("data", 2, (1, 31, 33, 63, 65)),
        ("mac", 3, (0, 1, 32, 38, 39, 41, 42, 64)),
    )
    for name, index, counts in lengths:
        for count in counts:
            about = f"The {name} field has {count} digits."
            case = plain(f"hex-{name}-{count}-digits", about, "hex")
            texts = hex_texts(case)
            texts[index] = (texts[index] * 3)[:count]
            offset = sum(len(text) + 1 for text in texts[:index])
            yield malformed(case, b",".join(texts), "field_length", offset)
    case = plain("hex-three-commas-alone", "Three commas and nothing else.", "hex")
    yield malformed(case, b",,,", "field_length", 0)
    case = plain("json-three-commas", "JSON with three commas is told as hex.", "hex")
    yield malformed(case, b'{"a":1,"b":2,"c":3,"d":4}', "field_length", 0)
    case = plain("hex-two-wrong-lengths", "Node and MAC are short: the first counts.", "hex")
    texts = hex_texts(case)
    texts[1], texts[3] = texts[1][1:], texts[3][1:]
    yield malformed(case, b",".join(texts), "field_length", 33)
    case = plain("hex-bad-digit-and-short-mac", "Lengths are checked before digits.", "hex")
    yield malformed(case, put(frame_of(case), 0, b"g")[:-1], "field_length", 131)
    case = plain("hex-empty-data-short-mac", "Empty data and a short MAC.", "hex", 0)
    yield malformed(case, frame_of(case)[:-1], "field_length", 67)


def white_space_records() -> Iterator[Record]:
    """Yield hex frames that a person pasted: the exact form has no white space."""
    mac = 131
    at_end = ("newline", b"\n"), ("crlf", b"\r\n"), ("space", b" "), ("tab", b"\t"), ("nul", b"\0")
    for name, tail in at_end:
        case = plain(f"hex-{name}-at-end", f"A good frame and then {tail!r}.", "hex")
        yield malformed(case, frame_of(case) + tail, "field_length", mac)
    case = plain("hex-space-at-start", "A space before a good frame.", "hex")
    yield malformed(case, b" " + frame_of(case), "field_length", 0)
    for name, index, separator, offset in (
        ("before-first-comma", 0, b" ,", 0),
        ("after-first-comma", 0, b", ", 33),
        ("before-second-comma", 1, b" ,", 33),
        ("after-second-comma", 1, b", ", 66),
        ("before-third-comma", 2, b" ,", 66),
        ("after-third-comma", 2, b", ", mac),
    ):
        case = plain(f"hex-space-{name}", "A space beside a comma.", "hex")
        texts = hex_texts(case)
        frame = b",".join(texts[: index + 1]) + separator + b",".join(texts[index + 1 :])
        yield malformed(case, frame, "field_length", offset)
    case = plain("hex-newline-for-last-digit", "The length fits, the digit does not.", "hex")
    frame = frame_of(case)
    yield malformed(case, frame[:-1] + b"\n", "not_hex", len(frame) - 1)
    case = plain("hex-empty-data-spaces", "32 spaces for the data.", "hex", 16)
    yield malformed(case, put(frame_of(case), 66, b" " * 32), "not_hex", 66)


def not_hex_records() -> Iterator[Record]:
    """Yield hex frames of 20 bytes of data: fields at 0, 33, 66 and 131."""
    for name, offset, bad in (
        ("g-at-0", 0, b"g"),
        ("upper-g-at-1", 1, b"G"),
        ("slash-at-31", 31, b"/"),
        ("colon-at-33", 33, b":"),
        ("at-sign-at-64", 64, b"@"),
        ("backquote-at-66", 66, b"`"),
        ("space-at-80", 80, b" "),
        ("nul-at-129", 129, b"\0"),
        ("ff-at-131", 131, b"\xff"),
        ("minus-at-133", 133, b"-"),
        ("plus-at-135", 135, b"+"),
        ("underscore-at-140", 140, b"_"),
        ("g-at-170", 170, b"g"),
        ("f5-at-2", 2, b"\xf5"),
        ("g-at-16", 16, b"g"),
    ):
        case = plain(f"hex-{name}", f"Byte {offset} is {bad!r}.", "hex")
        yield malformed(case, put(frame_of(case), offset, bad), "not_hex", offset)
    case = plain("hex-0x-prefix", "The MAC begins with 0x.", "hex")
    yield malformed(case, put(frame_of(case), 131, b"0x"), "not_hex", 132)
    case = plain("hex-two-bad-digits", "The first bad digit counts.", "hex")
    frame = put(put(frame_of(case), 150, b"z"), 40, b"z")
    yield malformed(case, frame, "not_hex", 40)
    case = plain("hex-full-width-digit", "A digit of three bytes in UTF-8.", "hex")
    frame = put(frame_of(case), 5, "\N{FULLWIDTH DIGIT ONE}".encode())
    yield malformed(case, frame, "not_hex", 5)


def raw_malformed_records() -> Iterator[Record]:
    case = plain("raw-second-separator-changed", "Byte 33 is not a comma.", "raw")
    yield malformed(case, put(frame_of(case), 33, b";"), "missing_separator", 33)
    case = plain("raw-node-two-blocks", "The node ID takes two blocks.", "raw")
    case = replace(case, node_id=b"0123456789abcdefg")
    case = with_iv_where(case, lambda frame: frame[33] != ord(","))
    yield malformed(case, frame_of(case), "missing_separator", 33)
    case = plain("raw-node-empty", "The node ID takes no block.", "raw")
    case = with_iv_where(replace(case, node_id=b""), lambda frame: frame[33] != ord(","))
    yield malformed(case, frame_of(case), "missing_separator", 33)
    case = plain("raw-59-bytes", "Told as raw, and too short for byte 33.", "raw")
    fields = fields_of(case)
    frame = fields.iv + b",x," + fields.mac.hex().encode()
    yield malformed(case, frame, "missing_separator", 33)
    about = "A hex frame with a comma at byte 16 is told as raw."
    case = plain("hex-comma-at-16", about, "hex")
    yield malformed(case, put(frame_of(case), 16, b","), "missing_separator", 33)
    about = "A hex frame whose IV has 16 digits is told as raw."
    case = plain("hex-iv-16-digits", about, "hex")
    yield malformed(case, frame_of(case)[16:], "missing_separator", 33)
    # What is no longer told as raw and has three commas is told as hex.
    damages: tuple[tuple[str, str, Callable[[bytes], bytes]], ...] = (
        ("mac-39-digits", "The MAC is short by a digit.", lambda frame: frame[:-1]),
        ("mac-38-digits", "The MAC is short by a byte.", lambda frame: frame[:-2]),
        ("mac-41-digits", "The MAC is long by a digit.", lambda frame: frame + b"0"),
        ("mac-not-hex", "The last digit is no hex digit.", lambda frame: frame[:-1] + b"g"),
        ("newline-at-end", "A good frame and then a newline.", lambda frame: frame + b"\n"),
        ("data-short", "The data lack a byte.", lambda frame: frame[:34] + frame[35:]),
        ("iv-short", "The IV lacks a byte.", lambda frame: frame[1:]),
        ("mac-raw", "The MAC is not in hex.", lambda frame: frame[:-40] + b"\xaa" * 20),
    )
    for name, about, damage in damages:
        case = plain(f"raw-{name}", about, "raw")
        yield malformed(case, damage(frame_of(case)), "field_length", 0)


def port_malformed_records() -> Iterator[Record]:
    lengths: tuple[tuple[str, str, Callable[[bytes], bytes]], ...] = (
        ("no-block", "IV and MAC without data.", lambda frame: frame[:32] + frame[-40:]),
        ("one-digit", "One hex digit.", lambda _: b"0"),
        ("mac-alone", "40 hex digits.", lambda frame: frame[-40:]),
        ("digit-short", "Short by a digit: an odd number.", lambda frame: frame[:-1]),
        ("digit-long", "Long by a digit: an odd number.", lambda frame: frame + b"0"),
        ("byte-short", "Short by a byte.", lambda frame: frame[:-2]),
        ("byte-long", "Long by a byte.", lambda frame: frame + b"00"),
        ("half-block", "Half a block of data.", lambda frame: frame[:48] + frame[-40:]),
    )
    for name, about, damage in lengths:
        case = ported(f"port-{name}", about)
        frame = damage(frame_of(case))
        yield malformed(case, frame, "port_length", len(frame))
    others: tuple[tuple[str, str, Callable[[bytes], bytes]], ...] = (
        ("empty-payload", "An empty payload is no port frame.", lambda _: b""),
        ("not-hex", "A byte that is no hex digit.", lambda frame: put(frame, 40, b"G")),
        ("newline-at-end", "A good frame and then a newline.", lambda frame: frame + b"\n"),
        ("space-at-start", "A space before a good frame.", lambda frame: b" " + frame),
        ("0x-prefix", "A good frame after 0x.", lambda frame: b"0x" + frame),
    )
    for name, about, damage in others:
        case = ported(f"port-{name}", about)
        yield malformed(case, damage(frame_of(case)), "unrecognised", 0)
