"""Opening a classic frame: what the vectors are checked with."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography.hazmat.primitives import constant_time, padding

from ..outcomes import Rejected
from ..primitives import BLOCK, cbc_decrypt, hmac_sha1
from .model import HEX_DIGITS, MAX_FRAME, SEPARATED, Case, DataMode, Fields, Keys, Opened


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
