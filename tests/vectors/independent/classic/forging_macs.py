"""Classic frames whose MAC is good for something else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace

from ..draw import draw_text, flipped
from ..primitives import hmac_sha1, hmac_sha256, zero_padded
from .cases import article_iv, draw_session, forged, ported, separated
from .known import known_answers
from .model import Case, Record
from .seal import fields_of, frame_of, join, port_frame


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
