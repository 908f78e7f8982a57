"""Text that is no armor: each frame has one text, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..draw import put
from .armor import ALPHABET, armor
from .cases import drawn
from .frame import seal
from .model import MAX_ARMOR, MAX_FRAME, Rejection


def malarmored_records() -> Iterator[Rejection]:
    yield from end_records()
    yield from alphabet_records()
    yield from length_records()
    yield from trailing_bit_records()


def good(name: str, about: str, size: int = 20) -> tuple[Rejection, bytes]:
    """Return a record to fill in, and a good armor: 20 bytes of data make 75 characters."""
    case = drawn(name, about, size=size)
    text = armor(seal(case))
    return Rejection(case, "armor", text, "malformed"), text


def damaged(record: Rejection, text: bytes, reason: str, offset: int) -> Rejection:
    return replace(record, payload=text, reason=reason, offset=offset)


def end_records() -> Iterator[Rejection]:
    """Yield good armor and something after it."""
    for name, about, size, tail in (
        ("padding-1", "Padding of one, as base64 has it.", 20, b"="),
        ("padding-2", "Padding of two, as base64 has it.", 19, b"=="),
        ("padding-1-of-2", "One of two characters of padding.", 19, b"="),
        ("padding-not-due", "Padding where base64 has none.", 18, b"="),
        ("newline-at-end", "A newline at the end.", 20, b"\n"),
        ("newline-at-end-of-72", "A newline after a text of 72 characters.", 18, b"\n"),
        ("crlf-at-end", "A carriage return and a newline at the end.", 20, b"\r\n"),
        ("space-at-end", "A space at the end.", 20, b" "),
        ("tab-at-end", "A tab at the end.", 20, b"\t"),
        ("nul-at-end", "A NUL at the end.", 20, b"\0"),
        ("dot-at-end", "A dot at the end.", 20, b"."),
    ):
        record, text = good(f"armor-{name}", about, size)
        yield damaged(record, text + tail, "not_base64url", len(text))


def alphabet_records() -> Iterator[Rejection]:
    """Yield good armor and something within, or for one of its characters."""
    for name, offset, bad in (
        ("space-at-start", 0, b" "),
        ("newline-at-start", 0, b"\n"),
        ("newline-within", 64, b"\n"),
        ("space-within", 38, b" "),
        ("dot", 2, b"."),
        ("tilde", 40, b"~"),
        ("comma", 50, b","),
        ("padding-within", 20, b"="),
        ("8-bit", 33, b"\xc3"),
        ("nul-within", 10, b"\0"),
    ):
        record, text = good(f"armor-{name}", f"{bad!r} before character {offset}.")
        changed = text[:offset] + bad + text[offset:]
        yield damaged(record, changed, "not_base64url", offset)
    for name, offset, bad in (
        ("plus", 30, b"+"),
        ("slash", 31, b"/"),
        ("plus-last", 74, b"+"),
        ("newline-last", 74, b"\n"),
        ("padding-last", 74, b"="),
        ("8-bit-last", 74, b"\xff"),
    ):
        record, text = good(f"armor-{name}", f"{bad!r} for character {offset}.")
        yield damaged(record, put(text, offset, bad), "not_base64url", offset)
    for name, url, other in (("plus", b"-", b"+"), ("slash", b"_", b"/")):
        record, text = good_with(
            f"armor-{name}-alphabet", f"{other!r} wherever {url!r} is due.", url
        )
        yield damaged(record, text.replace(url, other), "not_base64url", text.index(url))
    record, text = good("armor-two-bad", "Of two bad characters the first counts.")
    yield damaged(record, put(put(text, 60, b"!"), 7, b"!"), "not_base64url", 7)
    record, text = good("armor-bad-before-length", "A bad character counts before the length.")
    yield damaged(record, put(text[:73], 72, b"="), "not_base64url", 72)


def good_with(name: str, about: str, character: bytes) -> tuple[Rejection, bytes]:
    """Return what `good` does, with a text that has the character."""
    for size in range(20, 200):
        record, text = good(name, about, size)
        if character in text:
            return record, text
    raise AssertionError(f"{name}: no text found")


def length_records() -> Iterator[Rejection]:
    """Yield texts whose length no bytes have: 1 mod 4."""
    for characters, size in ((1, 20), (5, 20), (73, 20), (73, 18), (77, 20), (77, 19)):
        name = f"armor-length-{characters}-of-{size}"
        record, text = good(
            name, f"{characters} characters of the armor of {36 + size} bytes.", size
        )
        changed = (text + b"AAAAA")[:characters]
        yield damaged(record, changed, "armor_length", characters)
    record, text = good("armor-over-limit", "A character more than the armor of 16384 bytes has.")
    yield replace(
        damaged(record, text, "too_long", MAX_FRAME), tail=(MAX_ARMOR + 1 - len(text), ord("A"))
    )
    about = "A character over the limit, and all of them bad: the limit counts."
    record, text = good("armor-over-limit-and-bad", about)
    yield replace(
        damaged(record, text, "too_long", MAX_FRAME), tail=(MAX_ARMOR + 1 - len(text), ord("!"))
    )


def trailing_bit_records() -> Iterator[Rejection]:
    """Yield texts whose last character has a bit beyond the last byte."""
    for size, spare in ((20, 2), (19, 4)):
        for bits in (1, 2, 3) if spare == 2 else (1, 2, 4, 8, 15):
            name = f"armor-trailing-bits-{bits:0{spare}b}"
            record, text = good(name, f"The {spare} bits left over are {bits:0{spare}b}.", size)
            last = ALPHABET[ALPHABET.index(text[-1:]) | bits :][:1]
            yield damaged(record, text[:-1] + last, "trailing_bits", len(text) - 1)
    for characters in (71, 70):
        name = f"armor-cut-to-{characters}"
        record, text = cut_within_bits(name, f"{characters} of 75 characters.", characters)
        yield damaged(record, text, "trailing_bits", characters - 1)


def cut_within_bits(name: str, about: str, characters: int) -> tuple[Rejection, bytes]:
    """Return a text cut so that the bits left over are not all zero."""
    spare = characters * 6 % 8
    for number in range(100):
        record, text = good(f"{name}-try-{number}" if number else name, about)
        if ALPHABET.index(text[characters - 1 : characters]) & ((1 << spare) - 1):
            case = replace(record.case, name=name)
            return replace(record, case=case), text[:characters]
    raise AssertionError(f"{name}: no text found")
