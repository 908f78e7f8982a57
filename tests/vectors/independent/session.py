"""Session IDs: minting, verifying, and the records of session.txt."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from cryptography.hazmat.primitives import constant_time

from .draw import draw, flipped
from .grammar import GRAMMAR, VectorFile, file_text
from .primitives import hmac_sha1, hmac_sha256


@dataclass(frozen=True)
class Session:
    """A session ID and what it was, or claims to be, minted from."""

    name: str
    about: str
    key: bytes
    time: int
    random: bytes
    id: str
    expect: str


def mint(key: bytes, time: int, random: bytes) -> str:
    """Return time(4) || random(4) || HMAC-SHA256(key, "session" || time || random)[0..8]."""
    stamp = struct.pack(">I", time) + random
    return (stamp + hmac_sha256(key, b"session" + stamp)[:8]).hex()


def session_id_verifies(key: bytes, text: str) -> bool:
    if not re.fullmatch("[0-9a-f]{32}", text):
        return False
    octets = bytes.fromhex(text)
    tag = hmac_sha256(key, b"session", octets[:4], octets[4:8])[:8]
    return constant_time.bytes_eq(tag, octets[8:])


def valid_session(name: str, about: str, time: int | None = None) -> Session:
    if time is None:
        time = 1_700_000_000 + int.from_bytes(draw(name, "time", 4), "big") % 100_000_000
    key, random = draw(name, "session_key", 32), draw(name, "random", 4)
    return Session(name, about, key, time, random, mint(key, time, random), "valid")


def invalid_session(name: str, about: str, change: Callable[[str], str]) -> Session:
    session = valid_session(name, about)
    return replace(session, id=change(session.id), expect="invalid")


def session_records() -> Iterator[Session]:
    for name, about, time in (
        ("time-zero", "The first second.", 0),
        ("time-one", "time is big-endian.", 1),
        ("time-2026", "1 January 2026.", 1_767_225_600),
        ("time-2038", "The last second of a signed clock.", 0x7FFFFFFF),
        ("time-after-2038", "A second later.", 0x80000000),
        ("time-last", "The last second.", 0xFFFFFFFF),
    ):
        yield valid_session(name, about, time)
    for number in range(1, 5):
        yield valid_session(f"valid-{number}", "An ID as an authority mints it.")
    session = valid_session("random-zero", "random is four zeros.")
    zero = mint(session.key, session.time, bytes(4))
    yield replace(session, random=bytes(4), id=zero)
    session = valid_session("key-zero", "The session key is 32 zeros.")
    yield replace(session, key=bytes(32), id=mint(bytes(32), session.time, session.random))
    session = valid_session("key-counting", "The session key is 00 01 .. 1f.", 1_767_225_600)
    counting = bytes(range(32))
    yield replace(session, key=counting, id=mint(counting, session.time, session.random))
    yield from invalid_sessions()


def flip_in_hex(index: int, bit: int) -> Callable[[str], str]:
    return lambda text: flipped(bytes.fromhex(text), index, bit).hex()


def invalid_sessions() -> Iterator[Session]:
    for index in range(16):
        bit = 7 - index % 8
        yield invalid_session(
            f"flipped-byte-{index}",
            f"Bit {bit} of byte {index} is flipped.",
            flip_in_hex(index, bit),
        )
    session = valid_session("another-key", "Minted under another session key.")
    yield replace(session, key=draw(session.name, "other", 32), expect="invalid")
    session = valid_session("key-bit", "The session key differs in one bit.")
    yield replace(session, key=flipped(session.key, 31, 0), expect="invalid")
    texts: tuple[tuple[str, str, Callable[[str], str]], ...] = (
        ("upper-case", "Upper-case digits: the ID has one form.", str.upper),
        ("mixed-case", "One upper-case digit.", one_upper_case),
        ("31-digits", "The last digit is missing.", lambda text: text[:-1]),
        ("31-digits-start", "The first digit is missing.", lambda text: text[1:]),
        ("33-digits", "A digit too many.", lambda text: text + "0"),
        ("30-digits", "The last byte is missing.", lambda text: text[:-2]),
        ("34-digits", "A byte too many.", lambda text: text + "00"),
        ("64-digits", "The ID twice.", lambda text: text + text),
        ("16-digits", "time and random alone.", lambda text: text[:16]),
        ("empty", "An empty ID.", lambda _: ""),
        ("not-hex", "A letter that is no digit.", lambda text: text[:20] + "g" + text[21:]),
        ("space-within", "A space within.", lambda text: text[:16] + " " + text[17:]),
        ("0x-prefix", "32 characters that begin with 0x.", lambda text: "0x" + text[2:]),
        ("word", "A word.", lambda _: "session"),
        ("all-zeros", "32 zeros.", lambda _: "0" * 32),
        ("zero-tag", "A tag of zeros.", lambda text: text[:16] + "0" * 16),
    )
    for name, about, change in texts:
        yield invalid_session(name, about, change)
    yield from wrongly_minted_sessions()


def one_upper_case(text: str) -> str:
    return re.sub("[a-f]", lambda letter: letter.group().upper(), text, count=1)


def wrongly_minted_sessions() -> Iterator[Session]:
    makers: tuple[tuple[str, str, Callable[[bytes, int, bytes], bytes]], ...] = (
        (
            "little-endian",
            "time is little-endian.",
            lambda key, time, random: hmac_sha256(key, b"session", struct.pack("<I", time), random),
        ),
        (
            "no-label",
            "The tag leaves out the word session.",
            lambda key, time, random: hmac_sha256(key, struct.pack(">I", time), random),
        ),
        (
            "label-with-nul",
            "The tag takes the word session with a NUL.",
            lambda key, time, random: hmac_sha256(
                key, b"session\0", struct.pack(">I", time), random
            ),
        ),
        (
            "last-8-bytes",
            "The tag is the last 8 bytes of the HMAC.",
            lambda key, time, random: hmac_sha256(key, b"session", struct.pack(">I", time), random)[
                -8:
            ],
        ),
        (
            "sha-1",
            "The tag is of HMAC-SHA1.",
            lambda key, time, random: hmac_sha1(key, b"session", struct.pack(">I", time), random),
        ),
        (
            "time-as-text",
            "The tag takes the time in decimal.",
            lambda key, time, random: hmac_sha256(key, b"session", str(time).encode(), random),
        ),
    )
    for name, about, tag in makers:
        session = valid_session(f"minted-{name}", about)
        tail = tag(session.key, session.time, session.random)[:8].hex()
        yield replace(session, id=session.id[:16] + tail, expect="invalid")


SESSION_HEADER: Final = f"""\
Session IDs: time(4) || random(4) || HMAC-SHA256(session_key, "session" || time || random)[0..8].

{GRAMMAR}

session_key            32 bytes
time                   seconds since 1970, decimal; in the ID and the HMAC 4 bytes, big-endian
random                 4 bytes
id                     the ID as text, 32 lower-case hex digits when it is valid
expect                 valid: minting gives id, id verifies; invalid: id does not verify, and
                       time and random are those of the ID that it was made from"""


def session_lines(session: Session) -> Iterator[tuple[str, str]]:
    yield "name", session.name
    yield "about", session.about
    yield "session_key", session.key.hex()
    yield "time", str(session.time)
    yield "random", session.random.hex()
    yield "id", session.id
    yield "expect", session.expect


def check_session(record: dict[str, str]) -> None:
    key, random = bytes.fromhex(record["session_key"]), bytes.fromhex(record["random"])
    verifies = session_id_verifies(key, record["id"])
    minted = mint(key, int(record["time"]), random) == record["id"]
    assert record["expect"] == ("valid" if verifies else "invalid")
    assert verifies == minted and (len(key), len(random)) == (32, 4)


FILES: Final = (
    VectorFile(
        "session.txt",
        lambda: file_text(SESSION_HEADER, map(session_lines, session_records())),
        check_session,
    ),
)
