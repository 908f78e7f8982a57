"""The classic files: their headers, their lines, and the check of each record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, get_args

from ..grammar import GRAMMAR, VectorFile, file_text
from ..outcomes import Refused, Rejected
from .known import ARTICLE_KEYS
from .model import (
    MALFORMED,
    SEAL_CODES,
    Case,
    DataMode,
    Direction,
    Keys,
    Layout,
    MacOver,
    Opened,
    Record,
)
from .open import open_frame
from .opening import open_records
from .rejecting import reject_records
from .seal import seal
from .sealing import seal_records

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


FILES: Final = (
    VectorFile(
        "classic_seal.txt",
        lambda: file_text(SEAL_HEADER, map(case_lines, seal_records())),
        check_seal,
    ),
    VectorFile(
        "classic_open.txt",
        lambda: file_text(OPEN_HEADER, map(case_lines, open_records())),
        check_open,
    ),
    VectorFile(
        "classic_reject.txt",
        lambda: file_text(REJECT_HEADER, map(case_lines, reject_records())),
        check_reject,
    ),
)
