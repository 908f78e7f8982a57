"""Sealing a classic frame."""

from __future__ import annotations

from collections.abc import Iterable

from ..outcomes import Refused
from ..primitives import cbc_encrypt, hmac_sha1, pkcs7_padded, zero_padded
from .model import MAX_FRAME, Case, Fields, Keys, Layout


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
