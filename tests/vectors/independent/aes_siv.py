"""The records of aes_siv.txt: RFC 5297's examples, and the three components of a frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from .draw import draw, flipped
from .grammar import GRAMMAR, Fields, VectorFile, file_text
from .primitives import siv_by_the_book, siv_open, siv_seal

ORDINALS: Final = ("first", "second", "third")

HEADER: Final = f"""\
AES-SIV-CMAC-256 (RFC 5297), the AEAD of the sealed frame.

{GRAMMAR}

key            32 bytes: 16 for CMAC, then 16 for CTR
components     how many associated data there are: 1 to 3; a frame always has 3
first ..       the associated data
plaintext      the message
sealed         V, 16 bytes, and C
expect         valid: sealing gives sealed, and it opens to plaintext; invalid: it does not open,
               and plaintext is that of the message that was damaged"""


def records() -> Iterator[Fields]:
    yield from rfc_records()
    for size in (0, 1, 15, 16, 17, 31, 32, 33, 64, 100):
        for name, session, context in (
            ("unbound", b"", b""),
            ("bound", draw("aes-siv", f"session/{size}", 16), b""),
            ("in-context", draw("aes-siv", f"session/{size}", 16), b"home/relay/cmd"),
        ):
            parts = (draw("aes-siv", f"header/{size}/{name}", 20), session, context)
            key = draw("aes-siv", f"key/{size}/{name}", 32)
            plaintext = draw("aes-siv", f"plaintext/{size}/{name}", size)
            about = f"Three components as a frame has, a message of {size} bytes."
            yield record(f"frame-{size}-{name}", about, key, parts, plaintext)
    yield from invalid_records()


def rfc_records() -> Iterator[Fields]:
    key = bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    first = bytes.fromhex("101112131415161718191a1b1c1d1e1f2021222324252627")
    plaintext = bytes.fromhex("112233445566778899aabbccddee")
    stated = "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c"
    assert siv_seal(key, (first,), plaintext).hex() == stated, "not as in RFC 5297, A.1"
    yield record("rfc-5297-a-1", "RFC 5297, A.1: one component.", key, (first,), plaintext)
    key = bytes.fromhex("7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f")
    parts = (
        bytes.fromhex(
            "00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100"
        ),
        bytes.fromhex("102030405060708090a0"),
        bytes.fromhex("09f911029d74e35bd84156c5635688c0"),
    )
    plaintext = b"this is some plaintext to encrypt using SIV-AES"
    stated = (
        "7bdb6e3b432667eb06f4d14bff2fbd0fcb900f2fddbe404326601965c889bf17dba77ceb094fa663b7a3f748"
        "ba8af829ea64ad544a272e9c485b62a3fd5c0d"
    )
    assert siv_seal(key, parts, plaintext).hex() == stated, "not as in RFC 5297, A.2"
    yield record("rfc-5297-a-2", "RFC 5297, A.2: three components.", key, parts, plaintext)


def record(
    name: str,
    about: str,
    key: bytes,
    components: Sequence[bytes],
    plaintext: bytes,
    sealed: bytes | None = None,
) -> Fields:
    """Return a valid record, or an invalid one if `sealed` is given."""
    yield "name", name
    yield "about", about
    yield "key", key.hex()
    yield "components", str(len(components))
    for ordinal, component in zip(ORDINALS, components, strict=False):
        yield ordinal, component.hex()
    yield "plaintext", plaintext.hex()
    yield "sealed", (sealed or siv_seal(key, components, plaintext)).hex()
    yield "expect", "invalid" if sealed else "valid"


def invalid_records() -> Iterator[Fields]:
    key, header = draw("aes-siv-invalid", "key", 32), draw("aes-siv-invalid", "header", 20)
    session, plaintext = draw("aes-siv-invalid", "session", 16), draw("aes-siv-invalid", "data", 40)
    parts = (header, session, b"")
    sealed = siv_seal(key, parts, plaintext)
    for index in range(16):
        about = f"Bit {index % 8} of byte {index} of V is flipped."
        damaged = flipped(sealed, index, index % 8)
        yield record(f"invalid-tag-{index}", about, key, parts, plaintext, damaged)
    for bit, index in ((31, 12), (63, 8)):
        about = f"Bit {bit} of V, which CTR ignores, is flipped."
        damaged = flipped(sealed, index, 7)
        yield record(f"invalid-tag-bit-{bit}", about, key, parts, plaintext, damaged)
    for name, index in (("first", 16), ("block-2", 32), ("last", 55)):
        about = f"A bit of C is flipped: {name}."
        damaged = flipped(sealed, index, 0)
        yield record(f"invalid-ciphertext-{name}", about, key, parts, plaintext, damaged)
    yield record("invalid-cut", "C is cut by a byte.", key, parts, plaintext, sealed[:-1])
    yield record("invalid-longer", "C is longer by a byte.", key, parts, plaintext, sealed + b"\0")
    for name, about, other in (
        ("exchanged", "Two components are exchanged.", (session, header, b"")),
        ("joined", "Two components are joined.", (header + session, b"", b"")),
        ("moved", "A byte moves from one component to the next.", moved(header, session)),
        ("shifted", "The last component is put before the second.", (header, b"", session)),
        ("fewer", "An empty component is left out.", (header, session)),
    ):
        yield record(f"invalid-{name}", about, key, other, plaintext, sealed)
    exchanged = key[16:] + key[:16]
    about = "The CMAC and the CTR key are exchanged."
    yield record("invalid-key-halves", about, exchanged, parts, plaintext, sealed)


def moved(header: bytes, session: bytes) -> tuple[bytes, bytes, bytes]:
    return header[:-1], header[-1:] + session, b""


def check(record: dict[str, str]) -> None:
    """Open the record; if it is valid, seal it too."""
    key, plaintext = bytes.fromhex(record["key"]), bytes.fromhex(record["plaintext"])
    count = int(record["components"])
    assert [ordinal in record for ordinal in ORDINALS] == [i < count for i in range(3)]
    components = [bytes.fromhex(record[ordinal]) for ordinal in ORDINALS[:count]]
    sealed = bytes.fromhex(record["sealed"])
    assert len(key) == 32
    if record["expect"] == "valid":
        assert siv_seal(key, components, plaintext) == sealed
        assert siv_open(key, components, sealed) == plaintext
    else:
        assert record["expect"] == "invalid"
        assert siv_open(key, components, sealed) is None
        assert siv_by_the_book(key, components, plaintext) != sealed


FILES: Final = (VectorFile("aes_siv.txt", lambda: file_text(HEADER, records()), check),)
