"""The records of sealed_control.txt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..draw import draw
from ..grammar import GRAMMAR, Fields, VectorFile, file_text
from .control import OPCODES, control, parse_control, parse_hello
from .model import LAST_COUNTER

HEADER: Final = f"""\
The plaintexts of control and hello frames, taken apart and made.

{GRAMMAR}

kind       control or hello
plaintext  what the frame carries
expect     parsed: it says what follows, and that makes plaintext again; or ignored: the frame is
           counted, and has no effect
opcode     of control: ratchet, ack, welcome, query_mode, set_mode or mode
epoch      of ratchet, decimal: the target
tag        of ack: V of what is acknowledged
floor      of welcome, 8 bytes, big-endian
mode       of set_mode and mode, 1 byte
session    of hello: the device's new session
version    of hello: the firmware's version, bytes of UTF-8"""


def control_lines(name: str, about: str, plaintext: bytes) -> Fields:
    yield "name", name
    yield "about", about
    yield "kind", "control"
    yield "plaintext", plaintext.hex()
    parsed = parse_control(plaintext)
    yield "expect", "parsed" if parsed else "ignored"
    if parsed:
        yield "opcode", parsed.opcode
        field = OPCODES[plaintext[0]][1]
        if field == "epoch":
            yield "epoch", str(int.from_bytes(parsed.body, "big"))
        elif field:
            yield field, parsed.body.hex()


def hello_lines(name: str, about: str, plaintext: bytes) -> Fields:
    yield "name", name
    yield "about", about
    yield "kind", "hello"
    yield "plaintext", plaintext.hex()
    parsed = parse_hello(plaintext)
    yield "expect", "parsed" if parsed else "ignored"
    if parsed:
        yield "session", parsed.session.hex()
        yield "version", parsed.version.encode().hex()


def records() -> Iterator[Fields]:
    yield from good_controls()
    yield from ignored_controls()
    yield from good_hellos()
    yield from ignored_hellos()


def good_controls() -> Iterator[Fields]:
    for epoch in (0, 1, 2, 255, 256, 65535):
        plaintext = control("ratchet", epoch.to_bytes(2, "big"))
        yield control_lines(f"ratchet-{epoch}", f"Ratchet to epoch {epoch}.", plaintext)
    for name, about, tag in (
        ("drawn", "Acknowledge V.", draw("ack", "tag", 16)),
        ("zeros", "Acknowledge a V of zeros.", bytes(16)),
        ("ones", "Acknowledge a V of ff.", b"\xff" * 16),
    ):
        yield control_lines(f"ack-{name}", about, control("ack", tag))
    for name, floor in (
        ("0", 0),
        ("1", 1),
        ("2-to-the-32", 1 << 32),
        ("2-to-the-53-and-1", (1 << 53) + 1),
        ("beacon", (1_790_000_000 << 24) + 1),
        ("last", LAST_COUNTER),
    ):
        about = f"Welcome above {floor - 1}." if floor else "Welcome with floor 0: no change."
        yield control_lines(f"welcome-{name}", about, control("welcome", floor.to_bytes(8, "big")))
    yield control_lines("query-mode", "Ask for the mode.", control("query_mode"))
    for mode in (0, 1, 255):
        yield control_lines(f"set-mode-{mode}", f"Set mode {mode}.", bytes([5, mode]))
        yield control_lines(f"mode-{mode}", f"The mode is {mode}.", bytes([6, mode]))


def ignored_controls() -> Iterator[Fields]:
    yield control_lines("empty", "Not even an opcode.", b"")
    for opcode in (0, 7, 8, 127, 128, 254, 255):
        about = f"Opcode {opcode} is unknown."
        yield control_lines(f"unknown-{opcode}", about, bytes([opcode]))
        about = f"Opcode {opcode} is unknown, whatever follows."
        yield control_lines(f"unknown-{opcode}-and-body", about, bytes([opcode, 0, 1]))
    for opcode, (word, _, size) in OPCODES.items():
        name, head = word.replace("_", "-"), bytes([opcode])
        about = f"{size + 1} bytes after the opcode, of {size}."
        yield control_lines(f"{name}-long", about, head + bytes(size + 1))
        if size:
            about = f"{size - 1} bytes after the opcode, of {size}."
            yield control_lines(f"{name}-short", about, head + bytes(size - 1))
        if size > 1:
            yield control_lines(f"{name}-bare", "The opcode alone.", head)
    yield control_lines("two-controls", "Two controls in one.", b"\x04\x04")
    yield control_lines("ascii-opcode", "An opcode as a digit.", b"4")


def good_hellos() -> Iterator[Fields]:
    session = draw("hello", "session", 16)
    for name, about, version in (
        ("version", "A session and a version.", b"1.0.0"),
        ("no-version", "A session alone: the version is empty.", b""),
        ("one-character", "A version of one character.", b"1"),
        ("long-version", "A version of 100 bytes.", b"espseal-arduino " * 6 + b"1.2\x0a"),
        (
            "utf-8-2",
            "A version with a character of two bytes.",
            "1.0\N{GREEK SMALL LETTER BETA}".encode(),
        ),
        ("utf-8-3", "A version with a character of three bytes.", "1.0\N{EURO SIGN}".encode()),
        ("utf-8-4", "A version with a character of four bytes.", "1\N{HONEYBEE}".encode()),
        ("utf-8-last", "The last character there is.", b"\xf4\x8f\xbf\xbf"),
        ("nul", "A version with a NUL, which is UTF-8.", b"1\x000"),
        ("space", "White space stays.", b" 1.0 \n"),
    ):
        yield hello_lines(f"hello-{name}", about, session + version)
    yield hello_lines("hello-session-zeros", "A session of zeros.", bytes(16) + b"1.0.0")
    yield hello_lines("hello-session-8-bit", "A session that is no UTF-8.", b"\xff" * 16 + b"1.0.0")


def ignored_hellos() -> Iterator[Fields]:
    session = draw("hello", "session", 16)
    for size in (0, 1, 8, 15):
        yield hello_lines(f"hello-{size}-bytes", f"{size} bytes, no session.", session[:size])
    for name, about, version in (
        ("ff", "ff", b"\xff"),
        ("after-ascii", "a byte over 7f after good ones", b"1.0\x80"),
        ("latin-1", "Latin-1", b"1.0\xdf"),
        ("cut-2", "a character of two bytes, cut", b"1.0\xce"),
        ("cut-3", "a character of three bytes, cut", b"1.0\xe2\x82"),
        ("cut-4", "a character of four bytes, cut", b"1.0\xf0\x9f\x90"),
        ("cut-within", "a cut character before a good one", b"\xe2\x821"),
        ("overlong-2", "/ in two bytes", b"\xc0\xaf"),
        ("overlong-3", "/ in three bytes", b"\xe0\x80\xaf"),
        ("overlong-4", "/ in four bytes", b"\xf0\x80\x80\xaf"),
        ("overlong-nul", "NUL in two bytes", b"\xc0\x80"),
        ("surrogate", "half of a surrogate pair", b"\xed\xa0\x80"),
        ("surrogates", "a surrogate pair", b"\xed\xa0\xbd\xed\xb0\x9d"),
        ("beyond", "a character beyond the last", b"\xf4\x90\x80\x80"),
        ("five-bytes", "a character of five bytes", b"\xf8\x88\x80\x80\x80"),
        ("utf-16", "UTF-16", b"\xff\xfe1\x00"),
    ):
        yield hello_lines(f"hello-not-utf-8-{name}", f"Not UTF-8: {about}.", session + version)


def check(record: dict[str, str]) -> None:
    """Make the plaintext of what was parsed; tell again what is ignored."""
    plaintext = bytes.fromhex(record["plaintext"])
    if record["expect"] == "ignored":
        parse = parse_control if record["kind"] == "control" else parse_hello
        assert parse(plaintext) is None and list(record)[-1] == "expect"
    elif record["kind"] == "hello":
        version = bytes.fromhex(record["version"])
        assert bytes.fromhex(record["session"]) + version == plaintext
        assert version.decode("utf-8").encode("utf-8") == version
    else:
        assert (record["expect"], record["kind"]) == ("parsed", "control")
        opcode = next(word for word, _, _ in OPCODES.values() if word == record["opcode"])
        if opcode == "ratchet":
            body = int(record["epoch"]).to_bytes(2, "big")
        else:
            texts = [record[field] for field in ("tag", "floor", "mode") if field in record]
            body = bytes.fromhex("".join(texts))
        assert control(opcode, body) == plaintext


FILES: Final = (VectorFile("sealed_control.txt", lambda: file_text(HEADER, records()), check),)
