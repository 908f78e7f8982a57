"""Generate the test vectors of the classic frame with pyca/cryptography.

This script shares no code with espseal: it is a second implementation of the format, and the
vectors hold the two together. Whatever looks random is SHA-256 of the vector's name, so every
run writes the same bytes. Before anything is written, the text of each file is parsed again,
every frame is opened and every reject is rejected for the stated reason.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import re
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

from cryptography.hazmat.primitives import constant_time, hashes, hmac, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

Layout: TypeAlias = Literal["hex", "raw", "port"]
DataMode: TypeAlias = Literal["text", "binary"]
MacOver: TypeAlias = Literal["unpadded", "padded"]
Direction: TypeAlias = Literal["reading", "command", "peer"]
Separated: TypeAlias = Literal["hex", "raw"]

HERE: Final = Path(__file__).resolve().parent
MAX_FRAME: Final = 2048
BLOCK: Final = 16
HEX_DIGITS: Final = frozenset(b"0123456789abcdefABCDEF")
SEPARATED: Final[tuple[Separated, ...]] = get_args(Separated)

SEAL_CODES: Final = frozenset(
    {"sealed", "data_ends_in_nul", "invalid_node_id", "frame_too_long", "session_required"}
)
MALFORMED: Final = frozenset(
    {"too_long", "unrecognised", "not_hex", "field_length", "missing_separator", "port_length"}
)


class Keys(NamedTuple):
    """The four secrets of a group; of the port, the four parts of its 64-character key."""

    iv_key: bytes
    data_key: bytes
    static_iv: bytes
    passphrase: bytes


@dataclass(frozen=True)
class Case:
    """Everything that a frame is made from, or that its receiver is configured with."""

    name: str
    about: str
    layout: Layout
    keys: Keys
    session: bytes
    node_id: bytes
    iv: bytes
    data: bytes
    data_mode: DataMode = "text"
    mac_over: MacOver = "unpadded"
    danger_accept_replays: bool = False
    direction: Direction = "reading"
    expected_node_id: bytes | None = None


@dataclass(frozen=True)
class Record:
    """A case, its frame and what must come of it."""

    case: Case
    frame: bytes
    expect: str
    reason: str | None = None
    offset: int | None = None


class Fields(NamedTuple):
    """The decoded fields of a hex or raw frame."""

    iv: bytes
    node: bytes
    data: bytes
    mac: bytes


class Refused(Exception):
    """A sealer refuses to make this frame; the argument is the code."""


@dataclass
class Rejected(Exception):
    """An opener rejects this frame."""

    verdict: str
    reason: str | None = None
    offset: int | None = None


class Opened(NamedTuple):
    """What an opener reads from a verified frame."""

    node_id: bytes
    iv: bytes
    data: bytes


# Drawing: deterministic stand-ins for random input


def draw(name: str, label: str, size: int) -> bytes:
    """Return `size` bytes of SHA-256(name/label/0) || SHA-256(name/label/1) || ..."""
    blocks = range((size + 31) // 32)
    return b"".join(hashlib.sha256(f"{name}/{label}/{i}".encode()).digest() for i in blocks)[:size]


def draw_text(name: str, label: str, size: int) -> bytes:
    """Return `size` printable ASCII bytes, 0x20 to 0x7e."""
    return bytes(0x20 + byte % 95 for byte in draw(name, label, size))


def draw_iv(name: str, counter: int = 0) -> bytes:
    """Return an IV as the article's sender makes it: two numbers, each printed with %8x."""
    first, second = struct.unpack(">II", draw(name, f"iv/{counter}", 8))
    return article_iv(first, second)


def article_iv(first: int, second: int) -> bytes:
    return f"{first:8x}{second:8x}".encode()


def draw_keys(name: str, *, iv_key: int = 16, data_key: int = 16, passphrase: int = 16) -> Keys:
    return Keys(
        draw(name, "iv_key", iv_key),
        draw(name, "data_key", data_key),
        draw(name, "static_iv", 16),
        draw(name, "passphrase", passphrase),
    )


def draw_session(name: str, label: str = "session") -> bytes:
    return draw(name, label, 16).hex().encode()


def separated(name: str, about: str, layout: Separated, size: int = 20) -> Case:
    """Return a hex or raw case with everything drawn from its name."""
    number = 1_000_000 + int.from_bytes(draw(name, "node_id", 4), "big") % 9_000_000
    return Case(
        name=name,
        about=about,
        layout=layout,
        keys=draw_keys(name),
        session=draw_session(name),
        node_id=str(number).encode(),
        iv=draw_iv(name),
        data=draw_text(name, "data", size),
    )


def ported(name: str, about: str, size: int = 20) -> Case:
    """Return a port case with everything drawn from its name."""
    key = draw_text(name, "key", 64)
    return Case(
        name=name,
        about=about,
        layout="port",
        keys=Keys(iv_key=key[16:32], data_key=key[32:48], static_iv=key[:16], passphrase=key[48:]),
        session=b"",
        node_id=b"",
        iv=draw_text(name, "iv", 15) + b"\x01",
        data=draw_text(name, "data", size),
        danger_accept_replays=True,
    )


def with_iv_where(case: Case, wanted: Callable[[bytes], bool]) -> Case:
    """Return the case with the first IV, counted from 0, whose frame is as wanted."""
    for counter in range(1 << 22):
        candidate = replace(case, iv=draw_iv(case.name, counter))
        if wanted(frame_of(candidate)):
            return candidate
    raise AssertionError(f"{case.name}: no IV found")


def with_iv_giving_first_bytes(case: Case, first: bytes) -> Case:
    """Return the case with the first IV whose frame begins so; tries the IV's block alone."""
    for counter in range(1 << 22):
        iv = draw_iv(case.name, counter)
        if cbc_encrypt(case.keys.iv_key, case.keys.static_iv, iv).startswith(first):
            return replace(case, iv=iv)
    raise AssertionError(f"{case.name}: no IV found")


def without_stray_commas(case: Case) -> Case:
    """Return the case with an IV whose frame has no comma but the three separators."""
    return with_iv_where(case, lambda frame: frame.count(b",") == 3)


# Sealing


def cbc_encrypt(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(plaintext) + encryptor.finalize()


def zero_padded(plaintext: bytes) -> bytes:
    return plaintext + bytes(-len(plaintext) % BLOCK)


def pkcs7_padded(plaintext: bytes) -> bytes:
    padder = padding.PKCS7(128).padder()
    return padder.update(plaintext) + padder.finalize()


def hmac_sha1(key: bytes, *parts: bytes) -> bytes:
    mac = hmac.HMAC(key, hashes.SHA1())
    for part in parts:
        mac.update(part)
    return mac.finalize()


def mac_of(case: Case) -> bytes:
    node_id, data = case.node_id, case.data
    if case.mac_over == "padded":
        node_id, data = zero_padded(node_id), zero_padded(data)
    return hmac_sha1(case.keys.passphrase, node_id, case.iv, data, case.session)


def fields_of(case: Case) -> Fields:
    """Encrypt and authenticate without asking whether a sealer would agree."""
    return Fields(
        cbc_encrypt(case.keys.iv_key, case.keys.static_iv, case.iv),
        cbc_encrypt(case.keys.data_key, case.iv, zero_padded(case.node_id)),
        cbc_encrypt(case.keys.data_key, case.iv, zero_padded(case.data)),
        mac_of(case),
    )


def join(layout: Layout, fields: Fields) -> bytes:
    """Put the fields on the wire, hex or raw."""
    first_three: Iterable[bytes] = fields[:3]
    if layout == "hex":
        first_three = (field.hex().encode() for field in first_three)
    return b",".join((*first_three, fields.mac.hex().encode()))


def port_frame(keys: Keys, iv: bytes, padded_data: bytes) -> bytes:
    ciphertext = cbc_encrypt(keys.iv_key, keys.static_iv, iv)
    ciphertext += cbc_encrypt(keys.data_key, iv, padded_data)
    return (ciphertext + hmac_sha1(keys.passphrase, ciphertext)).hex().upper().encode()


def frame_of(case: Case) -> bytes:
    """Make the frame, whether or not a sealer would agree."""
    if case.layout == "port":
        return port_frame(case.keys, case.iv, pkcs7_padded(case.data))
    return join(case.layout, fields_of(case))


def is_node_id(node_id: bytes) -> bool:
    return 1 <= len(node_id) <= 15 and b"\0" not in node_id and b">" not in node_id


def is_node_field(case: Case) -> bool:
    """Tell whether the node field has the form that the direction asks for."""
    if case.direction == "reading":
        return is_node_id(case.node_id)
    sender, separator, receiver = case.node_id.partition(b">")
    if not separator or len(case.node_id) > 15 or not is_node_id(receiver):
        return False
    return sender == b"" if case.direction == "command" else is_node_id(sender)


def seal(case: Case) -> bytes:
    """Make the frame, or raise `Refused` with the code."""
    if case.layout != "port":
        if not case.session and not case.danger_accept_replays:
            raise Refused("session_required")
        if not is_node_field(case):
            raise Refused("invalid_node_id")
        if case.data_mode == "text" and case.data.endswith(b"\0"):
            raise Refused("data_ends_in_nul")
    frame = frame_of(case)
    if len(frame) > MAX_FRAME:
        raise Refused("frame_too_long")
    return frame


# Opening: what the vectors are checked with


def cbc_decrypt(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    return decryptor.update(ciphertext) + decryptor.finalize()


def is_hex(text: bytes) -> bool:
    return HEX_DIGITS.issuperset(text)


def tell_format(frame: bytes, *, port_allowed: bool) -> str:
    """Tell the formats apart by the first rule that fits, in the design's order."""
    tail = frame[-41:]
    if len(frame) % 16 == 11 and frame[16:17] == b"," and tail[:1] == b"," and is_hex(tail[1:]):
        return "raw"
    if frame[:1] == b"\xf5":
        return "sealed"
    if frame[:2] == b"9Q":
        return "armored"
    if frame.count(b",") == 3:
        return "hex"
    if frame and is_hex(frame) and port_allowed:
        return "port"
    raise Rejected("malformed", "unrecognised", 0)


def parse_raw(frame: bytes) -> Fields:
    if frame[33:34] != b",":
        raise Rejected("malformed", "missing_separator", 33)
    return Fields(frame[:16], frame[17:33], frame[34:-41], bytes.fromhex(frame[-40:].decode()))


def parse_hex(frame: bytes) -> Fields:
    texts = frame.split(b",")
    starts = [sum(len(text) + 1 for text in texts[:i]) for i in range(4)]
    iv, node, data, mac = (len(text) for text in texts)
    fits = (iv == 32, node % 32 == 0, data % 32 == 0, mac == 40)
    for start, good in zip(starts, fits, strict=True):
        if not good:
            raise Rejected("malformed", "field_length", start)
    for start, text in zip(starts, texts, strict=True):
        for i, digit in enumerate(text):
            if digit not in HEX_DIGITS:
                raise Rejected("malformed", "not_hex", start + i)
    return Fields(*(bytes.fromhex(text.decode()) for text in texts))


def open_port(keys: Keys, frame: bytes) -> Opened:
    octets, odd = divmod(len(frame), 2)
    if odd or octets < 16 + 16 + 20 or (octets - 16 - 20) % 16:
        raise Rejected("malformed", "port_length", len(frame))
    message = bytes.fromhex(frame.decode())
    ciphertext, mac = message[:-20], message[-20:]
    if not constant_time.bytes_eq(mac, hmac_sha1(keys.passphrase, ciphertext)):
        raise Rejected("forged")
    iv = cbc_decrypt(keys.iv_key, keys.static_iv, ciphertext[:16])
    unpadder = padding.PKCS7(128).unpadder()
    plaintext = cbc_decrypt(keys.data_key, iv, ciphertext[16:])
    try:
        return Opened(b"", iv, unpadder.update(plaintext) + unpadder.finalize())
    except ValueError:
        raise Rejected("forged") from None


def possible_data(plaintext: bytes, mode: DataMode) -> Iterator[bytes]:
    """Yield what the padded plaintext may have been: one value in text mode, up to 16 in binary."""
    if mode == "text":
        yield plaintext.rstrip(b"\0")
        return
    for dropped in range(min(BLOCK, len(plaintext) + 1)):
        kept = len(plaintext) - dropped
        if not any(plaintext[kept:]):
            yield plaintext[:kept]


def open_separated(case: Case, fields: Fields) -> Opened:
    keys = case.keys
    iv = cbc_decrypt(keys.iv_key, keys.static_iv, fields.iv)
    padded_node = cbc_decrypt(keys.data_key, iv, fields.node)
    padded_data = cbc_decrypt(keys.data_key, iv, fields.data)
    node_id = padded_node.rstrip(b"\0")
    for data in possible_data(padded_data, case.data_mode):
        if case.mac_over == "padded":
            mac = hmac_sha1(keys.passphrase, padded_node + iv + padded_data + case.session)
        else:
            mac = hmac_sha1(keys.passphrase, node_id + iv + data + case.session)
        if constant_time.bytes_eq(mac, fields.mac):
            return Opened(node_id, iv, data)
    raise Rejected("forged")


def is_addressed(case: Case, node_field: bytes) -> bool:
    """Tell whether a verified node field is what this opener takes."""
    if case.direction == "reading":
        return b">" not in node_field
    sender, separator, receiver = node_field.partition(b">")
    named = bool(sender) == (case.direction == "peer")
    return bool(separator) and named and receiver == case.expected_node_id


def open_frame(case: Case, frame: bytes) -> Opened:
    """Open with the receiver's part of `case`, or raise `Rejected`."""
    if len(frame) > MAX_FRAME:
        raise Rejected("malformed", "too_long", MAX_FRAME)
    told = tell_format(frame, port_allowed=case.layout == "port")
    if told == "port":
        return open_port(case.keys, frame)
    assert told in SEPARATED and case.layout != "port", f"{case.name}: outside of these vectors"
    opened = open_separated(case, parse_raw(frame) if told == "raw" else parse_hex(frame))
    if not is_addressed(case, opened.node_id):
        raise Rejected("wrong_direction")
    return opened


# classic_seal.txt

ARTICLE_KEYS: Final = Keys(
    iv_key=b"2345678901abcdef",
    data_key=b"0123456789abcdef",
    static_iv=b"abcdef2345678901",
    passphrase=b"mypassphrase",
)


def known_answers() -> Iterator[tuple[Case, bytes]]:
    """Yield the three answers that classic-frame.md states, with their frames."""
    yield (
        Case(
            name="article-sample",
            about="The sample output printed in the article, under the empty session.",
            layout="hex",
            keys=ARTICLE_KEYS,
            session=b"",
            node_id=b"11242238",
            iv=b" f9dc2766548509e",
            data=b"5",
            danger_accept_replays=True,
        ),
        b"1d54dd1af0f75a91a00d4dcd8f4ad28d,d1a0b14d187c5adfc948dfd77c2b2ee5,"
        b"564633a4a053153bcbd6ed25370346d5,c66697df7e7d467112757c841bfb6bce051d6289",
    )
    yield (
        Case(
            name="known-exact-multiple",
            about="Data of one whole block gets no block of padding.",
            layout="hex",
            keys=ARTICLE_KEYS,
            session=b"5f1d7a84c2b3e690",
            node_id=b"1234567",
            iv=b"7fffffff       1",
            data=b"0123456789abcdef",
        ),
        b"c4a1a844c5b9d1da8fa77467d7b9d633,0899c5390f016323b08eb7324bc6f6d5,"
        b"dbcca9b66e10cb47985ac7bc51d0dd7d,a88d598e9e70218dd1458b73cb78a40af6edeba1",
    )
    yield (
        Case(
            name="known-empty-data",
            about="Empty data is an empty third field.",
            layout="hex",
            keys=ARTICLE_KEYS,
            session=b"5f1d7a84c2b3e690",
            node_id=b"1234567",
            iv=b"12345678 abcdef1",
            data=b"",
        ),
        b"21c6e589c0b7a5a9d7e531879e485eb1,d88152ae04c3335f60b2d0b8d6858667,"
        b",a6969beb018e6bbf620ef2c578424e11e6ce06a2",
    )


def sealed_cases() -> Iterator[Case]:
    """Yield the cases that a sealer accepts."""
    yield from (case for case, _ in known_answers())
    for layout in SEPARATED:
        yield from separated_sizes(layout)
        yield from separated_values(layout)
    yield from directed_cases()
    yield from port_cases()


def separated_sizes(layout: Separated) -> Iterator[Case]:
    for size in (0, 1, 15, 16, 17, 31, 32, 33, 100, 255):
        yield separated(f"{layout}-data-{size}", f"Data of {size} bytes.", layout, size)
    largest = largest_data(layout)
    about = f"Data of {largest} bytes, the most that fits a frame of 2048 bytes."
    yield separated(f"{layout}-data-largest", about, layout, largest)
    for size in (1, 7, 8, 15):
        name = f"{layout}-node-id-{size}"
        case = separated(name, f"A node ID of {size} bytes.", layout)
        digits = bytes(0x30 + byte % 10 for byte in draw(name, "digits", size))
        yield replace(case, node_id=digits)
    for iv_bits, data_bits in ((192, 192), (256, 256), (128, 256), (256, 128), (192, 128)):
        name = f"{layout}-aes-{iv_bits}-{data_bits}"
        case = separated(name, f"iv_key of {iv_bits} bits, data_key of {data_bits}.", layout)
        keys = draw_keys(name, iv_key=iv_bits // 8, data_key=data_bits // 8)
        yield replace(case, keys=keys)
    for size in (1, 64, 65, 100):
        name = f"{layout}-passphrase-{size}"
        case = separated(name, f"A passphrase of {size} bytes; HMAC hashes over 64.", layout)
        yield replace(case, keys=draw_keys(name, passphrase=size))


def largest_data(layout: Layout) -> int:
    """Return the most bytes of data whose frame does not exceed 2048 bytes."""
    if layout == "port":
        return (MAX_FRAME // 2 - 16 - 20) // BLOCK * BLOCK - 1
    factor = 2 if layout == "hex" else 1
    return (MAX_FRAME - factor * 32 - 3 - 40) // (factor * BLOCK) * BLOCK


def separated_values(layout: Separated) -> Iterator[Case]:
    ivs = (
        ("iv-first-half-spaces", "The IV begins with spaces.", 0x1F, 0x89ABCDEF),
        ("iv-second-half-spaces", "The IV has spaces in its middle.", 0xFEDCBA98, 0x2),
        ("iv-both-halves-spaces", "Both halves of the IV are padded.", 0xABC, 0xDE),
        ("iv-zero", "Both random numbers are 0.", 0, 0),
        ("iv-no-spaces", "Both halves of the IV are 8 digits long.", 0xFFFFFFFF, 0x10000000),
    )
    for name, about, first, second in ivs:
        yield replace(separated(f"{layout}-{name}", about, layout), iv=article_iv(first, second))
    datas: tuple[tuple[str, str, bytes], ...] = (
        ("data-interior-nul", "NULs within the data stay.", b"a\0b\0\0c"),
        ("data-leading-nul", "NULs before the data stay.", b"\0\0\x005"),
        ("data-nul-block", "A whole block of NULs within the data stays.", bytes(16) + b"x"),
        ("data-8-bit", "Every byte value, ending in ff.", bytes(range(256))),
        ("data-utf-8", "Data in UTF-8.", "21,5 \N{DEGREE SIGN}C".encode()),
        ("data-commas", "Commas and hex digits in the data.", b"1,2,3,c0ffee"),
        ("data-white-space", "White space at both ends of the data stays.", b" 21.5\r\n"),
    )
    for name, about, data in datas:
        yield replace(separated(f"{layout}-{name}", about, layout), data=data)
    node_ids: tuple[tuple[str, str, bytes], ...] = (
        ("node-id-utf-8", "A node ID in UTF-8.", b"K\xc3\xbcche"),
        ("node-id-comma", "A comma and spaces in the node ID.", b" a, b "),
    )
    for name, about, node_id in node_ids:
        yield replace(separated(f"{layout}-{name}", about, layout), node_id=node_id)
    for size, zeros in ((1, 1), (16, 1), (16, 16), (20, 3), (32, 15), (33, 1)):
        name = f"{layout}-binary-{size}-ends-in-{zeros}"
        case = separated(name, f"Binary data of {size} bytes that ends in {zeros} NUL.", layout)
        yield replace(case, data=ending_in_nul(name, size, zeros), data_mode="binary")
    about = "The empty session, where replays are accepted."
    case = separated(f"{layout}-empty-session", about, layout)
    yield replace(case, session=b"", danger_accept_replays=True)


def ending_in_nul(name: str, size: int, zeros: int) -> bytes:
    """Return `size` bytes of which exactly the last `zeros` are NUL."""
    return bytes(byte or 0xFF for byte in draw(name, "data", size - zeros)) + bytes(zeros)


def directed(case: Case, direction: Direction, node_field: bytes) -> Case:
    """Return the case as a message to a node: the last part of its node field."""
    receiver = node_field.rpartition(b">")[2]
    return replace(
        case, direction=direction, node_id=node_field, expected_node_id=receiver, data=b"relay=on"
    )


def directed_cases() -> Iterator[Case]:
    fields: tuple[tuple[str, str, Direction, bytes], ...] = (
        ("command", "A command to a node.", "command", b">1234567"),
        ("command-shortest", "A command to a node ID of 1 byte.", "command", b">7"),
        ("command-15-bytes", "The longest node field of a command.", "command", b">pump-house-w14"),
        ("peer", "A message from node to node.", "peer", b"1234567>7654321"),
        ("peer-shortest", "The shortest node field of a message.", "peer", b"a>b"),
    )
    for layout in SEPARATED:
        for name, about, direction, node_field in fields:
            case = separated(f"{layout}-{name}", about, layout)
            yield directed(case, direction, node_field)
    about = "A command whose binary data ends in NUL."
    case = directed(separated("hex-command-binary", about, "hex"), "command", b">1234567")
    yield replace(case, data=b"\x01\x00\x00", data_mode="binary")


def port_cases() -> Iterator[Case]:
    for size in (0, 1, 15, 16, 17, 31, 32, 100):
        yield ported(f"port-data-{size}", f"Data of {size} bytes and PKCS#7 padding.", size)
    largest = largest_data("port")
    about = f"Data of {largest} bytes, the most that fits a frame of 2048 bytes."
    yield ported("port-data-largest", about, largest)
    datas: tuple[tuple[str, str, bytes], ...] = (
        ("data-ends-in-nul", "PKCS#7 keeps the NULs that data ends in.", b"a\0\0"),
        ("data-nul-block", "One whole block of NULs.", bytes(16)),
        ("data-ends-in-01", "Data that itself ends like padding.", b"a\x01\x01"),
        ("data-8-bit", "Every byte value.", bytes(range(256))),
    )
    for name, about, data in datas:
        yield replace(ported(f"port-{name}", about), data=data)


def refused_cases() -> Iterator[tuple[Case, str]]:
    """Yield the cases that a sealer refuses, each for one reason only, with the code."""
    for layout in SEPARATED:
        for name, about, data in (
            ("one-nul", "Text data that are one NUL.", b"\0"),
            ("nul-after-text", "Text data that ends in NUL.", b"21.5\0"),
            ("nul-fills-block", "A NUL that ends a whole block.", b"0123456789abcde\0"),
            ("nul-block", "Text data that is a block of NULs.", bytes(16)),
        ):
            case = separated(f"{layout}-refused-{name}", about, layout)
            yield replace(case, data=data), "data_ends_in_nul"
        for name, about, node_id in (
            ("node-id-empty", "The node ID is empty.", b""),
            ("node-id-16", "The node ID is over 15 bytes long.", b"0123456789abcdef"),
            ("node-id-17", "The node ID is over one block long.", b"0123456789abcdefg"),
            ("node-id-nul", "The node ID contains NUL.", b"12\x0034"),
            ("node-id-ends-in-nul", "The node ID ends in NUL.", b"1234\0"),
            ("node-id-command", "A reading whose node ID reads as a command.", b">1234567"),
            ("node-id-peer", "A reading whose node ID reads as node to node.", b"123>456"),
            ("node-id-ends-in-gt", "A reading whose node ID ends in '>'.", b"1234567>"),
        ):
            case = separated(f"{layout}-refused-{name}", about, layout)
            yield replace(case, node_id=node_id), "invalid_node_id"
        about = "One byte more than a frame of 2048 bytes holds."
        size = largest_data(layout) + 1
        yield separated(f"{layout}-refused-too-long", about, layout, size), "frame_too_long"
        about = "The empty session, where replays are not accepted."
        case = separated(f"{layout}-refused-empty-session", about, layout)
        yield replace(case, session=b""), "session_required"
    directions: tuple[tuple[str, str, Direction, bytes], ...] = (
        ("command-to-none", "A command to no node.", "command", b">"),
        ("command-to-peer", "A command whose node ID contains '>'.", "command", b">a>b"),
        (
            "command-too-long",
            "A command to a node ID over 15 bytes.",
            "command",
            b">0123456789abcdef",
        ),
        ("peer-to-none", "A message to no node.", "peer", b"1234567>"),
        ("peer-from-none", "A message from no node.", "peer", b">1234567"),
        ("peer-twice", "A message whose node ID contains '>'.", "peer", b"a>b>c"),
        ("peer-16-bytes", "A node field of a message over 15 bytes.", "peer", b"12345678>7654321"),
    )
    for name, about, direction, node_field in directions:
        case = separated(f"hex-refused-{name}", about, "hex")
        yield directed(case, direction, node_field), "invalid_node_id"
    about = "A command under the empty session."
    case = directed(separated("hex-refused-command-empty-session", about, "hex"), "command", b">7")
    yield replace(case, session=b""), "session_required"
    about = "One byte more than a frame of 2048 bytes holds."
    size = largest_data("port") + 1
    yield ported("port-refused-too-long", about, size), "frame_too_long"


def seal_records() -> Iterator[Record]:
    for known, frame in known_answers():
        assert seal(known) == frame, f"{known.name}: not the frame that the design states"
    for case in sealed_cases():
        yield Record(replace(case, expected_node_id=None), seal(case), "sealed")
    for case, code in refused_cases():
        try:
            seal(case)
        except Refused as refused:
            assert refused.args == (code,), f"{case.name}: refused with {refused}"
            yield Record(replace(case, expected_node_id=None), b"", code)
        else:
            raise AssertionError(f"{case.name}: sealed")


# classic_open.txt


def mixed_case(text: bytes) -> bytes:
    """Return hex whose letters are alternately upper and lower case."""
    letters = 0
    mixed = bytearray()
    for byte in text:
        letter = bytes([byte])
        if letter.isalpha():
            letter = letter.upper() if letters % 2 == 0 else letter.lower()
            letters += 1
        mixed += letter
    return bytes(mixed)


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


# classic_reject.txt


def plain(name: str, about: str, layout: Separated, size: int = 20) -> Case:
    """Return a case to damage, without commas that would change how its frame is told."""
    return without_stray_commas(separated(name, about, layout, size))


def flipped(field: bytes, index: int, bit: int) -> bytes:
    changed = bytearray(field)
    changed[index] ^= 1 << bit
    return bytes(changed)


def put(frame: bytes, offset: int, replacement: bytes) -> bytes:
    """Overwrite the frame from `offset`."""
    return frame[:offset] + replacement + frame[offset + len(replacement) :]


def malformed(case: Case, frame: bytes, reason: str, offset: int) -> Record:
    return Record(case, frame, "malformed", reason, offset)


def forged(case: Case, frame: bytes) -> Record:
    return Record(case, frame, "forged")


def wrong_direction(case: Case, frame: bytes) -> Record:
    return Record(case, frame, "wrong_direction")


def reject_records() -> Iterator[Record]:
    yield from too_long_records()
    yield from unrecognised_records()
    yield from field_length_records()
    yield from white_space_records()
    yield from not_hex_records()
    yield from raw_malformed_records()
    yield from port_malformed_records()
    for layout in SEPARATED:
        yield from tampered_records(layout)
        yield from wrong_secret_records(layout)
        yield from exchanged_records(layout)
        yield from padding_records(layout)
    yield from block_records()
    yield from mac_input_records()
    yield from port_forged_records()
    yield from told_as_raw_records()
    yield from wrong_direction_records()


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


def hex_texts(case: Case) -> list[bytes]:
    return frame_of(case).split(b",")


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


def tampered_records(layout: Separated) -> Iterator[Record]:
    """Yield frames with one bit flipped, in each field."""
    for field, index, bit in (
        ("iv", 0, 7),
        ("iv", -1, 0),
        ("node", 0, 7),
        ("node", -1, 0),
        ("data", 0, 7),
        ("data", 16, 0),
        ("data", -1, 0),
        ("mac", 0, 7),
        ("mac", 10, 3),
        ("mac", -1, 0),
    ):
        where = "last" if index < 0 else str(index)
        name = f"{layout}-flipped-{field}-{where}"
        case = plain(name, f"Bit {bit} of byte {where} of the {field} field is flipped.", layout)
        fields = fields_of(case)
        changed = flipped(getattr(fields, field), index, bit)
        yield forged(case, join(layout, fields._replace(**{field: changed})))
    case = plain(f"{layout}-zero-mac", "The MAC is all zeros.", layout)
    yield forged(case, join(layout, fields_of(case)._replace(mac=bytes(20))))
    if layout == "raw":
        for name, first in (("f5", b"\xf5"), ("9q", b"9Q")):
            about = "Begins like a sealed frame, and a bit of the MAC is flipped."
            case = separated(f"raw-begins-with-{name}-flipped-mac", about, "raw")
            case = with_iv_giving_first_bytes(case, first)
            fields = fields_of(case)
            yield forged(case, join("raw", fields._replace(mac=flipped(fields.mac, 0, 0))))


def wrong_secret_records(layout: Separated) -> Iterator[Record]:
    """Yield good frames given to a receiver with one other secret."""
    for secret in Keys._fields:
        name = f"{layout}-wrong-{secret.replace('_', '-')}"
        case = plain(name, f"The receiver has another {secret}.", layout)
        other = getattr(draw_keys(f"{name}/other"), secret)
        yield forged(replace(case, keys=case.keys._replace(**{secret: other})), frame_of(case))
    name = f"{layout}-static-iv-bit"
    case = plain(name, "The receiver's static_iv differs in one bit.", layout)
    other = flipped(case.keys.static_iv, 0, 0)
    yield forged(replace(case, keys=case.keys._replace(static_iv=other)), frame_of(case))
    name = f"{layout}-wrong-session"
    case = plain(name, "The receiver has another session.", layout)
    yield forged(replace(case, session=draw_session(name, "other")), frame_of(case))
    case = plain(f"{layout}-session-for-none", "The receiver has the empty session.", layout)
    receiver = replace(case, session=b"", danger_accept_replays=True)
    yield forged(receiver, frame_of(case))
    case = plain(f"{layout}-none-for-session", "The sender had the empty session.", layout)
    sender = replace(case, session=b"")
    yield forged(case, frame_of(sender))


def exchanged_records(layout: Separated) -> Iterator[Record]:
    """Yield frames put together from the fields of good ones."""
    for field in Fields._fields:
        name = f"{layout}-other-{field}"
        case = plain(name, f"The {field} field of another frame of this node.", layout)
        other = replace(case, iv=draw_iv(f"{name}/other"), data=draw_text(name, "other", 20))
        if field == "node":
            other = replace(other, node_id=b"7654321")
        changed = {field: getattr(fields_of(other), field)}
        yield forged(case, join(layout, fields_of(case)._replace(**changed)))
    name = f"{layout}-other-node-id-same-iv"
    case = plain(name, "Another node's ID, encrypted under this IV, spliced in.", layout)
    other = replace(case, node_id=b"7654321")
    yield forged(case, join(layout, fields_of(case)._replace(node=fields_of(other).node)))
    case = plain(f"{layout}-other-data-same-iv", "Other data under this IV, spliced in.", layout)
    other = replace(case, data=draw_text(case.name, "other", 20))
    yield forged(case, join(layout, fields_of(case)._replace(data=fields_of(other).data)))
    about = "Node ID and data, which share key and IV, are exchanged."
    case = plain(f"{layout}-node-and-data-exchanged", about, layout, 10)
    fields = fields_of(case)
    yield forged(case, join(layout, fields._replace(node=fields.data, data=fields.node)))


def padding_records(layout: Separated) -> Iterator[Record]:
    """Yield frames whose MAC is over something else than the receiver's mode says."""
    mac_overs: tuple[tuple[str, str, MacOver, MacOver], ...] = (
        ("padded-mac-unexpected", "The MAC is over the padded values.", "padded", "unpadded"),
        ("padded-mac-missing", "The MAC is over the unpadded values.", "unpadded", "padded"),
    )
    for name, about, by_sender, by_receiver in mac_overs:
        case = plain(f"{layout}-{name}", about, layout)
        frame = frame_of(replace(case, mac_over=by_sender))
        yield forged(replace(case, mac_over=by_receiver), frame)
    about = "The MAC is over the padded values, the receiver takes binary data."
    case = plain(f"{layout}-padded-mac-binary", about, layout)
    sender = replace(case, mac_over="padded")
    yield forged(replace(case, data_mode="binary"), frame_of(sender))
    for size, zeros in ((1, 1), (16, 16), (20, 1), (32, 15)):
        name = f"{layout}-text-{size}-ends-in-{zeros}"
        about = f"Binary data of {size} bytes ending in {zeros} NUL, a receiver of text."
        case = replace(plain(name, about, layout), data=ending_in_nul(name, size, zeros))
        yield forged(case, frame_of(case))
    name = f"{layout}-binary-dropped-not-zero"
    about = "The MAC is over the first 5 of 16 bytes, and the others are not zero."
    case = replace(plain(name, about, layout, 16), data_mode="binary")
    short = mac_of(replace(case, data=case.data[:5]))
    yield forged(case, join(layout, fields_of(case)._replace(mac=short)))
    name = f"{layout}-binary-16-dropped"
    about = "The MAC is over 16 bytes, and a whole block of zeros follows."
    case = replace(plain(name, about, layout, 16), data_mode="binary")
    longer = fields_of(replace(case, data=case.data + bytes(16))).data
    yield forged(case, join(layout, fields_of(case)._replace(data=longer)))
    name = f"{layout}-binary-16-dropped-of-zeros"
    about = "The MAC is over empty data, and a whole block of zeros follows."
    case = replace(plain(name, about, layout, 0), data_mode="binary")
    longer = fields_of(replace(case, data=bytes(16))).data
    yield forged(case, join(layout, fields_of(case)._replace(data=longer)))
    case = plain(f"{layout}-pkcs7-data", "The data are padded with PKCS#7, not zeros.", layout)
    padded = fields_of(replace(case, data=pkcs7_padded(case.data))).data
    yield forged(case, join(layout, fields_of(case)._replace(data=padded)))


def block_records() -> Iterator[Record]:
    """Yield frames with blocks of the data cut, moved or added."""
    case = plain("hex-data-block-cut", "The last block of the data is missing.", "hex", 32)
    fields = fields_of(case)
    yield forged(case, join("hex", fields._replace(data=fields.data[:16])))
    case = plain("hex-data-block-cut-binary", "A block is missing, binary data.", "hex", 32)
    fields = fields_of(case)
    frame = join("hex", fields._replace(data=fields.data[:16]))
    yield forged(replace(case, data_mode="binary"), frame)
    case = plain("hex-data-cut", "All data are missing.", "hex")
    yield forged(case, join("hex", fields_of(case)._replace(data=b"")))
    case = plain("hex-data-added", "A block follows empty data.", "hex", 0)
    fields = fields_of(case)
    yield forged(case, join("hex", fields._replace(data=fields.node)))
    case = plain("hex-data-blocks-exchanged", "Two blocks of the data are exchanged.", "hex", 32)
    fields = fields_of(case)
    yield forged(case, join("hex", fields._replace(data=fields.data[16:] + fields.data[:16])))
    case = plain("hex-data-block-repeated", "A block of the data comes twice.", "hex", 32)
    fields = fields_of(case)
    yield forged(case, join("hex", fields._replace(data=fields.data + fields.data[16:])))


def mac_input_records() -> Iterator[Record]:
    """Yield frames of senders that compute the MAC over something else."""
    key_and_about: tuple[tuple[str, str, Callable[[Case], bytes]], ...] = (
        (
            "mac-iv-trimmed",
            "The sender trims the IV for the MAC.",
            lambda c: hmac_sha1(c.keys.passphrase, c.node_id, c.iv.strip(), c.data, c.session),
        ),
        (
            "mac-without-iv",
            "The MAC leaves out the IV.",
            lambda c: hmac_sha1(c.keys.passphrase, c.node_id, c.data, c.session),
        ),
        (
            "mac-without-node-id",
            "The MAC leaves out the node ID.",
            lambda c: hmac_sha1(c.keys.passphrase, c.iv, c.data, c.session),
        ),
        (
            "mac-iv-first",
            "The MAC takes the IV before the node ID.",
            lambda c: hmac_sha1(c.keys.passphrase, c.iv, c.node_id, c.data, c.session),
        ),
        (
            "mac-session-upper-case",
            "The MAC takes the session in upper case.",
            lambda c: hmac_sha1(c.keys.passphrase, c.node_id, c.iv, c.data, c.session.upper()),
        ),
        (
            "mac-session-decoded",
            "The MAC takes the 16 decoded bytes of the session.",
            lambda c: hmac_sha1(
                c.keys.passphrase, c.node_id, c.iv, c.data, bytes.fromhex(c.session.decode())
            ),
        ),
        (
            "mac-over-ciphertext",
            "The MAC is over the three encrypted fields.",
            lambda c: hmac_sha1(c.keys.passphrase, *fields_of(c)[:3], c.session),
        ),
        (
            "mac-plain-hash",
            "A SHA-1 of passphrase and values, not an HMAC.",
            lambda c: hashlib.sha1(
                c.keys.passphrase + c.node_id + c.iv + c.data + c.session
            ).digest(),
        ),
        (
            "mac-sha-256",
            "HMAC-SHA256 cut to 20 bytes.",
            lambda c: hmac_sha256(c.keys.passphrase, c.node_id, c.iv, c.data, c.session)[:20],
        ),
    )
    for name, about, mac in key_and_about:
        case = replace(separated(f"hex-{name}", about, "hex"), iv=article_iv(0x1F, 0xABCDE))
        yield forged(case, join("hex", fields_of(case)._replace(mac=mac(case))))
    article, frame = next(known_answers())
    name = "article-sample-under-session"
    case = replace(article, name=name, about="The article's sample, opened under a session.")
    case = replace(case, session=draw_session(name), danger_accept_replays=False)
    yield forged(case, frame)


def port_forged_records() -> Iterator[Record]:
    for name, index in (("iv", 0), ("data", 16), ("mac", -20), ("mac-last", -1)):
        case = ported(f"port-flipped-{name}", "One bit is flipped.")
        frame = bytes.fromhex(frame_of(case).decode())
        yield forged(case, flipped(frame, index, 0).hex().upper().encode())
    case = ported("port-zero-mac", "The MAC is all zeros.")
    yield forged(case, frame_of(case)[:-40] + b"0" * 40)
    case = ported("port-wrong-mac-key", "The receiver has another mac_key.")
    other = case.keys._replace(passphrase=draw_text(case.name, "other", 16))
    yield forged(replace(case, keys=other), frame_of(case))
    case = ported("port-wrong-data-key", "Another data_key: good MAC, bad padding.")
    other = case.keys._replace(data_key=draw_text(case.name, "other", 16))
    yield forged(replace(case, keys=other), frame_of(case))
    case = ported("port-block-cut", "The last block of the data is missing.", 32)
    frame = frame_of(case)
    yield forged(case, frame[:-72] + frame[-40:])
    case = ported("port-block-added", "A block of the data comes twice.", 32)
    frame = frame_of(case)
    yield forged(case, frame[:64] + frame[32:])
    for name, about, padded in (
        ("pad-00", "Good MAC; the padding ends in 00.", bytes(16)),
        ("pad-11", "Good MAC; the padding ends in 11 hex, more than a block.", b"\x11" * 16),
        ("pad-11-two-blocks", "Good MAC; 17 bytes of 11 hex.", b"\0" * 15 + b"\x11" * 17),
        ("pad-ff", "Good MAC; the padding ends in ff.", b"\xff" * 16),
        (
            "pad-first-differs",
            "Good MAC; the first byte of the padding differs.",
            b"a" * 11 + b"\x04" + b"\x05" * 4,
        ),
        (
            "pad-03-03-02-03",
            "Good MAC; a byte within the padding differs.",
            b"a" * 13 + b"\x03\x02\x03",
        ),
        ("pad-zeros", "Good MAC; zero padding.", zero_padded(b"21.5")),
        ("pad-none", "Good MAC; no padding.", b"0123456789abcdef"),
        (
            "pad-10-first-differs",
            "Good MAC; a block of padding, its first byte differs.",
            b"\x0f" + b"\x10" * 15,
        ),
    ):
        case = replace(ported(f"port-{name}", about), data=b"")
        yield forged(case, port_frame(case.keys, case.iv, padded))


def told_as_raw_records() -> Iterator[Record]:
    about = "A hex frame with commas at bytes 16 and 33 is told as raw, and parses."
    case = plain("hex-commas-at-16-and-33", about, "hex")
    yield forged(case, put(put(frame_of(case), 16, b","), 33, b","))
    about = "A hex frame whose IV and node ID have 16 digits is told as raw, and parses."
    case = plain("hex-iv-and-node-16-digits", about, "hex")
    iv, node, data, mac = hex_texts(case)
    yield forged(case, b",".join((iv[:16], node[:16], data, mac)))


def wrong_direction_records() -> Iterator[Record]:
    """Yield frames that verify, and then are not what this opener takes."""
    for layout in SEPARATED:
        for name, about, node_field in (
            ("command", "A command, opened as a reading.", b">1234567"),
            ("peer", "A message from node to node, opened as a reading.", b"1234567>7654321"),
            ("trailing-gt", "A node field that ends in '>', opened as a reading.", b"1234567>"),
            ("lone-gt", "A node field that is '>', opened as a reading.", b">"),
        ):
            case = plain(f"{layout}-reading-given-{name}", about, layout)
            case = replace(case, node_id=node_field, direction="reading")
            yield wrong_direction(case, frame_of(case))
        for name, about, direction, node_field in directed_mistakes():
            case = plain(f"{layout}-{name}", about, layout)
            case = replace(case, node_id=node_field, direction=direction)
            case = replace(case, expected_node_id=b"1234567")
            yield wrong_direction(case, frame_of(case))
    about = "A command with binary data, opened as a reading."
    case = plain("hex-reading-given-command-binary", about, "hex")
    case = replace(case, node_id=b">1234567", data=b"\x01\x00", data_mode="binary")
    yield wrong_direction(case, frame_of(case))
    about = "A command whose MAC is over the padded values, opened as a reading."
    case = plain("hex-reading-given-command-padded-mac", about, "hex")
    case = replace(case, node_id=b">1234567", mac_over="padded")
    yield wrong_direction(case, frame_of(case))
    about = "A command under the empty session, opened as a reading."
    case = plain("hex-reading-given-command-empty-session", about, "hex")
    case = replace(case, node_id=b">1234567", session=b"", danger_accept_replays=True)
    yield wrong_direction(case, frame_of(case))
    for name, about, direction in given_forgeries():
        case = plain(f"hex-{name}", about, "hex")
        field = b">1234567" if direction == "reading" else b"1234567"
        case = replace(case, node_id=field, direction=direction)
        if direction == "command":
            case = replace(case, expected_node_id=b"1234567")
        fields = fields_of(case)
        yield forged(case, join("hex", fields._replace(mac=flipped(fields.mac, 0, 0))))


def directed_mistakes() -> tuple[tuple[str, str, Direction, bytes], ...]:
    """Return what an opener of messages to node 1234567 is given."""
    return (
        ("command-given-reading", "A reading, opened as a command.", "command", b"1234567"),
        ("command-given-peer", "Node to node, opened as a command.", "command", b"7>1234567"),
        ("command-to-another", "A command to another node.", "command", b">7654321"),
        ("command-to-prefix", "A command to a node whose ID is a prefix.", "command", b">123456"),
        ("peer-given-reading", "A reading, opened as node to node.", "peer", b"1234567"),
        ("peer-given-command", "A command, opened as node to node.", "peer", b">1234567"),
        ("peer-to-another", "A message to another node.", "peer", b"1234567>7654321"),
    )


def given_forgeries() -> tuple[tuple[str, str, Direction], ...]:
    return (
        ("reading-given-forged-command", "A bad MAC counts before the direction.", "reading"),
        ("command-given-forged-reading", "A bad MAC counts before the direction.", "command"),
    )


# session.txt


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


def hmac_sha256(key: bytes, *parts: bytes) -> bytes:
    mac = hmac.HMAC(key, hashes.SHA256())
    for part in parts:
        mac.update(part)
    return mac.finalize()


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


# Files


GRAMMAR: Final = """\
Records are separated by one blank line, fields are "key: value", bytes are lower-case hex,
an empty value is empty bytes. Written by tests/vectors/generate.py; do not edit."""

FIELDS: Final = """\
layout                 hex, raw or port: how the group's frames are written
data_mode              text (data end in no NUL) or binary; without effect for port
mac_over               unpadded or padded: what the MAC is computed over; without effect for port
danger_accept_replays  true: the empty session and port are allowed (default false)
direction              reading (default), command (field ">B") or peer (field "A>B")
iv_key .. passphrase   the secrets; for port the parts of its key, passphrase being mac_key
session                the bytes that go into the MAC; empty for port
node_id                the content of the node field, ">" included; empty for port
iv                     the IV in the clear, 16 bytes
data                   the plaintext
frame                  the bytes on the wire"""

SEAL_HEADER: Final = f"""\
Sealing a classic frame, all inputs given.

{GRAMMAR}

{FIELDS}
expect                 sealed, or the code of the refusal, and then frame is empty:
                       data_ends_in_nul, invalid_node_id, frame_too_long, session_required"""

OPEN_HEADER: Final = f"""\
Opening a classic frame: layout .. session and frame are given, node_id, iv and data must come out.

{GRAMMAR}

{FIELDS}
expected_node_id       of a command or a peer message: the node that opens it
expect                 fresh"""

REJECT_HEADER: Final = f"""\
Rejecting what is no good classic frame: layout .. session and frame are given.

{GRAMMAR}

{FIELDS}
expected_node_id       of a command or a peer message: the node that opens it
node_id, iv, data      of the frame that the bytes were made from: for people, not for the opener
expect                 malformed, forged or wrong_direction
reason                 of malformed only: too_long, unrecognised, not_hex, field_length,
                       missing_separator or port_length
offset                 of malformed only: the byte of the frame where that shows, from 0"""

SESSION_HEADER: Final = f"""\
Session IDs: time(4) || random(4) || HMAC-SHA256(session_key, "session" || time || random)[0..8].

{GRAMMAR}

session_key            32 bytes
time                   seconds since 1970, decimal; in the ID and the HMAC 4 bytes, big-endian
random                 4 bytes
id                     the ID as text, 32 lower-case hex digits when it is valid
expect                 valid: minting gives id, id verifies; invalid: id does not verify, and
                       time and random are those of the ID that it was made from"""


def header_text(header: str) -> str:
    return "\n".join(f"# {line}".rstrip() for line in header.split("\n")) + "\n"


def lines_text(fields: Iterable[tuple[str, str]]) -> str:
    return "".join(f"{key}: {value}".rstrip() + "\n" for key, value in fields)


def case_lines(record: Record) -> Iterator[tuple[str, str]]:
    case = record.case
    yield "name", case.name
    yield "about", case.about
    yield "layout", case.layout
    yield "data_mode", case.data_mode
    yield "mac_over", case.mac_over
    if case.danger_accept_replays:
        yield "danger_accept_replays", "true"
    if case.direction != "reading":
        yield "direction", case.direction
    if case.expected_node_id is not None:
        yield "expected_node_id", case.expected_node_id.hex()
    for key, value in case.keys._asdict().items():
        yield key, value.hex()
    yield "session", case.session.hex()
    yield "node_id", case.node_id.hex()
    yield "iv", case.iv.hex()
    yield "data", case.data.hex()
    yield "frame", record.frame.hex()
    yield "expect", record.expect
    if record.reason is not None and record.offset is not None:
        yield "reason", record.reason
        yield "offset", str(record.offset)


def session_lines(session: Session) -> Iterator[tuple[str, str]]:
    yield "name", session.name
    yield "about", session.about
    yield "session_key", session.key.hex()
    yield "time", str(session.time)
    yield "random", session.random.hex()
    yield "id", session.id
    yield "expect", session.expect


def file_text(header: str, records: Iterable[Iterable[tuple[str, str]]]) -> str:
    return "\n".join((header_text(header), *(lines_text(fields) for fields in records)))


def generate() -> dict[str, str]:
    """Return the text of each file."""
    return {
        "classic_seal.txt": file_text(SEAL_HEADER, map(case_lines, seal_records())),
        "classic_open.txt": file_text(OPEN_HEADER, map(case_lines, open_records())),
        "classic_reject.txt": file_text(REJECT_HEADER, map(case_lines, reject_records())),
        "session.txt": file_text(SESSION_HEADER, map(session_lines, session_records())),
    }


# Checking the text of the files, as a runner reads it


def parse(text: str) -> list[dict[str, str]]:
    """Return the records of a file, and hold it to the grammar."""
    assert text.isascii() and text.endswith("\n"), "not lines of ASCII"
    assert not re.search(r"[ \t\r]$", text, re.MULTILINE), "white space at the end of a line"
    header, *blocks = text[:-1].split("\n\n")
    assert all(line.startswith("#") for line in header.split("\n")), "no header"
    records: list[dict[str, str]] = []
    for block in blocks:
        fields = [re.fullmatch(r"([a-z_]+):(?: (.+))?", line) for line in block.split("\n")]
        record = {match[1]: match[2] or "" for match in fields if match}
        assert len(record) == len(fields), f"not key: value: {block}"
        assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", record["name"]), record["name"]
        records.append(record)
    names = [record["name"] for record in records]
    assert len(set(names)) == len(names), "a name comes twice"
    return records


def case_from(record: dict[str, str]) -> Case:
    layouts: dict[str, Layout] = {value: value for value in get_args(Layout)}
    data_modes: dict[str, DataMode] = {value: value for value in get_args(DataMode)}
    mac_overs: dict[str, MacOver] = {value: value for value in get_args(MacOver)}
    directions: dict[str, Direction] = {value: value for value in get_args(Direction)}
    expected = record.get("expected_node_id")
    return Case(
        name=record["name"],
        about=record["about"],
        layout=layouts[record["layout"]],
        keys=Keys(*(bytes.fromhex(record[key]) for key in Keys._fields)),
        session=bytes.fromhex(record["session"]),
        node_id=bytes.fromhex(record["node_id"]),
        iv=bytes.fromhex(record["iv"]),
        data=bytes.fromhex(record["data"]),
        data_mode=data_modes[record["data_mode"]],
        mac_over=mac_overs[record["mac_over"]],
        danger_accept_replays=record.get("danger_accept_replays") == "true",
        direction=directions[record.get("direction", "reading")],
        expected_node_id=None if expected is None else bytes.fromhex(expected),
    )


def check_seal(record: dict[str, str]) -> None:
    assert record["expect"] in SEAL_CODES
    try:
        sealed = seal(case_from(record))
    except Refused as refused:
        assert (record["expect"], record["frame"]) == (str(refused), "")
    else:
        assert (record["expect"], record["frame"]) == ("sealed", sealed.hex())


def check_open(record: dict[str, str]) -> None:
    case = case_from(record)
    assert record["expect"] == "fresh"
    assert case.danger_accept_replays == (case.session == b"")
    assert len(case.session) == 32 or not case.session or case.keys == ARTICLE_KEYS
    opened = open_frame(case, bytes.fromhex(record["frame"]))
    assert opened == Opened(case.node_id, case.iv, case.data)


def check_reject(record: dict[str, str]) -> None:
    try:
        open_frame(case_from(record), bytes.fromhex(record["frame"]))
    except Rejected as rejected:
        offset = None if rejected.offset is None else str(rejected.offset)
        found = (rejected.verdict, rejected.reason, offset)
        stated = (record["expect"], record.get("reason"), record.get("offset"))
        assert found == stated, f"rejected as {found}, stated as {stated}"
        assert rejected.reason is None or rejected.reason in MALFORMED
    else:
        raise AssertionError("opened")


def check_session(record: dict[str, str]) -> None:
    key, random = bytes.fromhex(record["session_key"]), bytes.fromhex(record["random"])
    verifies = session_id_verifies(key, record["id"])
    minted = mint(key, int(record["time"]), random) == record["id"]
    assert record["expect"] == ("valid" if verifies else "invalid")
    assert verifies == minted and (len(key), len(random)) == (32, 4)


CHECKS: Final[dict[str, Callable[[dict[str, str]], None]]] = {
    "classic_seal.txt": check_seal,
    "classic_open.txt": check_open,
    "classic_reject.txt": check_reject,
    "session.txt": check_session,
}


def check_text(name: str, text: str) -> int:
    """Check every record of a file as a runner would; return how many there are."""
    records = parse(text)
    for record in records:
        try:
            CHECKS[name](record)
        except (AssertionError, Rejected) as error:
            raise SystemExit(f"{name}: {record['name']}: {error!r}") from error
    return len(records)


# The command line


def difference(name: str, text: str) -> str | None:
    """Return how the committed file differs, in a few lines, or None."""
    path = HERE / name
    if not path.is_file():
        return f"{name}: missing"
    committed = path.read_text(encoding="utf-8")
    if committed == text:
        return None
    lines = list(
        difflib.unified_diff(
            committed.splitlines(), text.splitlines(), "committed", "generated", "", "", 0, ""
        )
    )
    changes = [line[:100] for line in lines[2:] if line[:1] in "+-"]
    shown = "".join(f"\n    {line}" for line in changes[:6])
    return f"{name}: {len(changes)} lines differ{shown}"


def main() -> int:
    summary, _, details = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(description=summary, epilog=details)
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; compare with the files beside this script, exit 1 if they differ",
    )
    arguments = parser.parse_args()
    if not __debug__:
        parser.error("python -O would skip the checks")
    texts = generate()
    counts = {name: check_text(name, text) for name, text in texts.items()}
    if arguments.check:
        differences = [found for name in texts if (found := difference(name, texts[name]))]
        print("\n".join(differences) or "the files are as generated")
        return 1 if differences else 0
    for name, text in texts.items():
        (HERE / name).write_text(text, encoding="utf-8", newline="\n")
        print(f"{name}: {counts[name]} records")
    return 0


if __name__ == "__main__":
    sys.exit(main())
