"""The records of classic_open.txt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from .cases import (
    ending_in_nul,
    mixed_case,
    ported,
    separated,
    with_iv_giving_first_bytes,
    with_iv_where,
    without_stray_commas,
)
from .known import known_answers
from .model import SEPARATED, Case, Record
from .seal import seal
from .sealing import sealed_cases


def open_records() -> Iterator[Record]:
    for case in sealed_cases():
        yield Record(case, seal(case), "fresh")
    yield from other_case_records()
    for case in (*odd_raw_cases(), *odd_hex_cases(), *padded_cases(), *binary_cases()):
        yield Record(case, seal(case), "fresh")


def other_case_records() -> Iterator[Record]:
    article, frame = next(known_answers())
    article = replace(article, name="article-sample-upper-case", about="Hex in upper case.")
    yield Record(article, frame.upper(), "fresh")
    case = separated("hex-upper-case", "Hex in upper case.", "hex")
    yield Record(case, seal(case).upper(), "fresh")
    case = separated("hex-mixed-case", "Hex in mixed case.", "hex")
    yield Record(case, mixed_case(seal(case)), "fresh")
    case = separated("hex-upper-case-mac", "The MAC alone in upper case.", "hex")
    frame = seal(case)
    yield Record(case, frame[:-40] + frame[-40:].upper(), "fresh")
    for name, about, change in (
        ("upper-case-mac", "The MAC of a raw frame in upper case.", bytes.upper),
        ("mixed-case-mac", "The MAC of a raw frame in mixed case.", mixed_case),
    ):
        case = without_stray_commas(separated(f"raw-{name}", about, "raw"))
        frame = seal(case)
        yield Record(case, frame[:-40] + change(frame[-40:]), "fresh")
    case = ported("port-lower-case", "Hex in lower case.")
    yield Record(case, seal(case).lower(), "fresh")
    case = ported("port-mixed-case", "Hex in mixed case.")
    yield Record(case, mixed_case(seal(case)), "fresh")


def commas_at(offsets: tuple[int, ...]) -> Callable[[bytes], bool]:
    return lambda frame: all(frame[offset] == ord(",") for offset in offsets)


def odd_raw_cases() -> Iterator[Case]:
    """Yield raw cases whose ciphertext misleads those who split or sniff carelessly."""
    # In a frame of 3 blocks of data the separators are at 16, 33 and 82.
    for name, about, offsets in (
        ("iv-first", "A comma is the first byte of the frame.", (0,)),
        ("iv-middle", "A comma within the encrypted IV.", (7,)),
        ("iv-last", "Commas at 15 and 16: the IV ends in one.", (15,)),
        ("node-first", "Commas at 16 and 17: the node ID begins with one.", (17,)),
        ("node-middle", "A comma within the encrypted node ID.", (25,)),
        ("node-last", "Commas at 32 and 33: the node ID ends in one.", (32,)),
        ("both-sides-of-node", "Commas at 15 and 32, before both separators.", (15, 32)),
        ("data-first", "Commas at 33 and 34: the data begin with one.", (34,)),
        ("block-1-last", "A comma at 49, where a node ID of two blocks would end.", (49,)),
        ("block-2-first", "A comma at 50, the first byte of the second block.", (50,)),
        ("block-2-last", "A comma at 65, where a node ID of three blocks would end.", (65,)),
        ("two-blocks-last", "Commas at 49 and 65.", (49, 65)),
        ("data-last", "Commas at 81 and 82: the data end in one.", (81,)),
    ):
        case = separated(f"raw-comma-{name}", about, "raw", 40)
        yield with_iv_where(case, commas_at(offsets))
    case = separated("raw-comma-in-each", "A comma within each ciphertext.", "raw", 40)
    yield with_iv_where(
        case,
        lambda frame: b"," in frame[:16] and b"," in frame[17:33] and b"," in frame[34:-41],
    )
    case = separated("raw-comma-node-last-no-data", "Commas at 32, 33 and 34.", "raw", 0)
    yield with_iv_where(case, lambda frame: frame[32:35] == b",,,")
    case = separated("raw-comma-none", "No comma but the separators.", "raw", 40)
    yield without_stray_commas(case)
    for name, about, first in (
        ("f5", "The first byte is that of a sealed frame.", b"\xf5"),
        ("9q", "The first two bytes are those of an armored sealed frame.", b"9Q"),
        ("nul", "The first byte is NUL.", b"\0"),
        ("space", "The first byte is a space.", b" "),
        ("newline", "The first byte is a newline.", b"\n"),
    ):
        case = separated(f"raw-begins-with-{name}", about, "raw")
        yield with_iv_giving_first_bytes(case, first)
    case = separated("raw-begins-with-f5-no-data", "Begins with F5, empty data.", "raw", 0)
    yield with_iv_giving_first_bytes(case, b"\xf5")


def odd_hex_cases() -> Iterator[Case]:
    about = "As long as a raw frame (11 mod 16) with its last 41 bytes; only byte 16 tells."
    yield separated("hex-nearest-to-raw", about, "hex", 48)
    about = "The shortest hex frame, 107 bytes; only byte 16 tells it from a raw one."
    yield separated("hex-nearest-to-raw-no-data", about, "hex", 0)
    case = separated("hex-begins-with-f5", "The first two digits are f5.", "hex")
    yield with_iv_giving_first_bytes(case, b"\xf5")


def padded_cases() -> Iterator[Case]:
    for layout in SEPARATED:
        for size in (0, 1, 15, 16, 17, 33):
            about = f"A sender that MACs the padded values; data of {size} bytes."
            case = separated(f"{layout}-padded-mac-{size}", about, layout, size)
            yield replace(case, mac_over="padded")
        about = "A sender that MACs the padded values; a node ID of 15 bytes."
        case = separated(f"{layout}-padded-mac-node-id-15", about, layout)
        yield replace(case, mac_over="padded", node_id=b"greenhouse-no-2")


def binary_cases() -> Iterator[Case]:
    for layout in SEPARATED:
        for size in range(17, 33):
            name = f"{layout}-binary-{32 - size}-dropped"
            about = f"Binary data of {size} bytes; {32 - size} bytes of padding are dropped."
            case = separated(name, about, layout)
            yield replace(case, data=ending_in_nul(name, size, 1), data_mode="binary")
        for size in range(1, 17):
            case = separated(f"{layout}-binary-zeros-{size}", f"Just {size} NUL.", layout)
            yield replace(case, data=bytes(size), data_mode="binary")
        for size in (17, 31, 32, 48):
            case = separated(f"{layout}-binary-zeros-{size}", f"Just {size} NUL.", layout)
            yield replace(case, data=bytes(size), data_mode="binary")
        case = separated(f"{layout}-binary-empty", "Binary mode, empty data.", layout, 0)
        yield replace(case, data_mode="binary")
        for size in (1, 16, 20):
            about = f"Binary mode, text of {size} bytes that ends in no NUL."
            case = separated(f"{layout}-binary-text-{size}", about, layout, size)
            yield replace(case, data_mode="binary")
