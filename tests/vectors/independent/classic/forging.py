"""Classic frames that were tampered with, spliced, or given to other secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..draw import draw_text, flipped, put
from ..primitives import pkcs7_padded
from .cases import (
    draw_iv,
    draw_keys,
    draw_session,
    ending_in_nul,
    forged,
    hex_texts,
    plain,
    separated,
    with_iv_giving_first_bytes,
)
from .model import Fields, Keys, MacOver, Record, Separated
from .seal import fields_of, frame_of, join, mac_of


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


def told_as_raw_records() -> Iterator[Record]:
    about = "A hex frame with commas at bytes 16 and 33 is told as raw, and parses."
    case = plain("hex-commas-at-16-and-33", about, "hex")
    yield forged(case, put(put(frame_of(case), 16, b","), 33, b","))
    about = "A hex frame whose IV and node ID have 16 digits is told as raw, and parses."
    case = plain("hex-iv-and-node-16-digits", about, "hex")
    iv, node, data, mac = hex_texts(case)
    yield forged(case, b",".join((iv[:16], node[:16], data, mac)))
