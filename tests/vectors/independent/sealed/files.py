"""The files of the sealed frame: their headers, their lines, and the check of each record."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from ..grammar import GRAMMAR, Fields, VectorFile, file_text
from ..outcomes import Refused, Rejected
from . import control_vectors, head_vectors, window_vectors
from .armor import armor, dearmor
from .detecting import Detection, detect_records, told
from .frame import open_frame, parse, seal
from .key_vectors import check_key, key_records
from .keys import device_key, ratchet
from .model import MALFORMED, SEAL_CODES, Case, Frame, Rejection, direction_named, kind_named
from .rejecting import reject_records
from .sealing import limit_cases, refused_cases, sealed_cases

LONGEST_WRITTEN: Final = 2000

FIELDS: Final = """\
fleet_key      32 bytes; where it stands, device_key follows from it, address and epoch
device_key     32 bytes: DK of the epoch
address        8 bytes
epoch          decimal
direction      uplink or downlink
kind           data, hello or control
session        16 bytes, or empty: unbound
context        the third associated datum
counter        8 bytes, big-endian
plaintext      the data; or, for a few that are long, plaintext_byte, plaintext_repeat times"""

SEAL_HEADER: Final = f"""\
Sealing a sealed frame, all inputs given.

{GRAMMAR}

{FIELDS}
frame          the bytes of the frame; of a long one frame_length, its first 52 bytes as
               frame_start and its last 16 as frame_end
armor          the frame in text armor
expect         sealed, or the code of the refusal, and then frame and armor are empty:
               frame_too_long, invalid_counter, invalid_kind, session_required"""

OPEN_HEADER: Final = f"""\
Opening a sealed frame: device_key, direction, session, context and frame are given; address,
epoch, kind, counter and plaintext must come out. armor must open to the same.

{GRAMMAR}

{FIELDS}
frame          the bytes of the frame
armor          the frame in text armor
expect         fresh"""

REJECT_HEADER: Final = f"""\
Rejecting what is no good sealed frame. The opener is given form and frame, and opens with
device_key, in direction, under session (empty: it has none) and context.

{GRAMMAR}

form           binary: frame is the payload; armor: frame is the payload, in text armor
device_key     32 bytes: the opener's DK
direction      uplink or downlink: which the opener expects
session        16 bytes, or empty
context        the third associated datum
frame          the bytes of the payload, and after them, where frame_repeat stands, as many
               times frame_byte
expect         malformed, wrong_direction or forged
reason         of malformed only: too_long, too_short, unsupported_version, reserved_bits,
               unknown_kind, downlink_hello, unbound_control, counter_zero, not_base64url,
               armor_length or trailing_bits
offset         of malformed only, decimal, from 0: of the last three reasons in the text, of the
               others in the frame (decoded, if it was armored)"""

DETECT_HEADER: Final = f"""\
Telling the formats apart.

{GRAMMAR}

frame          the bytes of the payload
port_allowed   true or false: whether bare hex digits may be a frame of the port
expect         raw, sealed, armored, hex, port or malformed (reason unrecognised, offset 0)"""

KEYS_HEADER: Final = f"""\
Deriving keys and sessions.

{GRAMMAR}

derive         device_key   device_key from fleet_key and address
               ratchet      ratcheted, steps epochs above device_key, which is that of epoch
               frame_keys   uplink_key and downlink_key from device_key
               session      session, which a device draws for its hello, from device_key, the
                            hello's counter, the beacon's session (zeros: none) and random
expect         derived; of a ratchet past epoch 65535 epoch_exhausted, and ratcheted is empty"""


def case_lines(case: Case, *, with_fleet: bool) -> Fields:
    yield "name", case.name
    yield "about", case.about
    if with_fleet and case.fleet_key is not None:
        yield "fleet_key", case.fleet_key.hex()
    else:
        yield "device_key", case.device_key.hex()
    yield "address", case.address.hex()
    yield "epoch", str(case.epoch)
    yield "direction", case.direction
    yield "kind", case.kind
    yield "session", case.session.hex()
    yield "context", case.context.hex()
    yield "counter", f"{case.counter:016x}"
    if len(case.plaintext) > LONGEST_WRITTEN:
        assert len(set(case.plaintext)) == 1, f"{case.name}: too long"
        yield "plaintext_byte", case.plaintext[:1].hex()
        yield "plaintext_repeat", str(len(case.plaintext))
    else:
        yield "plaintext", case.plaintext.hex()


def seal_records() -> Iterator[Fields]:
    for case in sealed_cases():
        yield chain(case_lines(case, with_fleet=True), frame_lines(seal(case)), expected("sealed"))
    for case in limit_cases():
        frame = seal(case)
        long = (
            ("frame_length", str(len(frame))),
            ("frame_start", frame[:52].hex()),
            ("frame_end", frame[-16:].hex()),
        )
        yield chain(case_lines(case, with_fleet=True), long, expected("sealed"))
    for case, code in refused_cases():
        none = (("frame", ""), ("armor", ""))
        yield chain(case_lines(case, with_fleet=True), none, expected(code))


def open_records() -> Iterator[Fields]:
    for case in sealed_cases():
        yield chain(case_lines(case, with_fleet=False), frame_lines(seal(case)), expected("fresh"))


def frame_lines(frame: bytes) -> Fields:
    return ("frame", frame.hex()), ("armor", armor(frame).decode())


def expected(word: str) -> Fields:
    return (("expect", word),)


def reject_lines(record: Rejection) -> Fields:
    case = record.case
    yield "name", case.name
    yield "about", case.about
    yield "form", record.form
    yield "device_key", case.device_key.hex()
    yield "direction", case.direction
    yield "session", case.session.hex()
    yield "context", case.context.hex()
    yield "frame", record.payload.hex()
    if record.tail is not None:
        repeat, byte = record.tail
        yield "frame_byte", f"{byte:02x}"
        yield "frame_repeat", str(repeat)
    yield "expect", record.expect
    if record.reason is not None and record.offset is not None:
        yield "reason", record.reason
        yield "offset", str(record.offset)


def detect_lines(detection: Detection) -> Fields:
    yield "name", detection.name
    yield "about", detection.about
    yield "frame", detection.payload.hex()
    yield "port_allowed", "true" if detection.port_allowed else "false"
    yield "expect", detection.expect


def case_from(record: dict[str, str]) -> Case:
    """Return the case that the text of a record states."""
    address, epoch = bytes.fromhex(record["address"]), int(record["epoch"])
    if "fleet_key" in record:
        key = ratchet(device_key(bytes.fromhex(record["fleet_key"]), address), epoch)
    else:
        key = bytes.fromhex(record["device_key"])
    if "plaintext_byte" in record:
        plaintext = bytes.fromhex(record["plaintext_byte"]) * int(record["plaintext_repeat"])
    else:
        plaintext = bytes.fromhex(record["plaintext"])
    return Case(
        name=record["name"],
        about=record["about"],
        device_key=key,
        address=address,
        epoch=epoch,
        direction=direction_named(record["direction"]),
        kind=kind_named(record["kind"]),
        session=bytes.fromhex(record["session"]),
        context=bytes.fromhex(record["context"]),
        counter=int(record["counter"], 16),
        plaintext=plaintext,
    )


def check_opens(case: Case, frame: bytes) -> None:
    opened = parse(frame)
    assert opened == Frame(
        direction=case.direction,
        bound=bool(case.session),
        kind=case.kind,
        epoch=case.epoch,
        address=case.address,
        counter=case.counter,
        header=frame[:20],
        sealed=frame[20:],
    )
    plaintext = open_frame(opened, case.device_key, case.direction, case.session, case.context)
    assert plaintext == case.plaintext


def check_seal(record: dict[str, str]) -> None:
    assert record["expect"] in SEAL_CODES
    case = case_from(record)
    try:
        frame = seal(case)
    except Refused as refused:
        assert (record["expect"], record["frame"], record["armor"]) == (str(refused), "", "")
        return
    assert record["expect"] == "sealed"
    check_opens(case, frame)
    if "frame_length" in record:
        assert (int(record["frame_length"]), record["frame_start"], record["frame_end"]) == (
            len(frame),
            frame[:52].hex(),
            frame[-16:].hex(),
        )
    else:
        assert record["frame"] == frame.hex()
        assert dearmor(record["armor"].encode()) == frame


def check_open(record: dict[str, str]) -> None:
    assert record["expect"] == "fresh"
    frame = bytes.fromhex(record["frame"])
    check_opens(case_from(record), frame)
    assert dearmor(record["armor"].encode()) == frame


def check_reject(record: dict[str, str]) -> None:
    payload = bytes.fromhex(record["frame"])
    if "frame_byte" in record:
        payload += bytes.fromhex(record["frame_byte"]) * int(record["frame_repeat"])
    assert record["form"] in {"binary", "armor"}
    try:
        open_frame(
            parse(dearmor(payload) if record["form"] == "armor" else payload),
            bytes.fromhex(record["device_key"]),
            direction_named(record["direction"]),
            bytes.fromhex(record["session"]),
            bytes.fromhex(record["context"]),
        )
    except Rejected as rejected:
        offset = None if rejected.offset is None else str(rejected.offset)
        found = (rejected.verdict, rejected.reason, offset)
        stated = (record["expect"], record.get("reason"), record.get("offset"))
        assert found == stated, f"rejected as {found}, stated as {stated}"
        assert rejected.reason is None or rejected.reason in MALFORMED
    else:
        raise AssertionError("opened")


def check_detect(record: dict[str, str]) -> None:
    payload = bytes.fromhex(record["frame"])
    assert record["port_allowed"] in {"true", "false"}
    assert told(payload, port_allowed=record["port_allowed"] == "true") == record["expect"]


FILES: Final = (
    VectorFile("sealed_seal.txt", lambda: file_text(SEAL_HEADER, seal_records()), check_seal),
    VectorFile("sealed_open.txt", lambda: file_text(OPEN_HEADER, open_records()), check_open),
    VectorFile(
        "sealed_reject.txt",
        lambda: file_text(REJECT_HEADER, map(reject_lines, reject_records())),
        check_reject,
    ),
    VectorFile(
        "sealed_detect.txt",
        lambda: file_text(DETECT_HEADER, map(detect_lines, detect_records())),
        check_detect,
    ),
    VectorFile("sealed_keys.txt", lambda: file_text(KEYS_HEADER, key_records()), check_key),
    *control_vectors.FILES,
    *window_vectors.FILES,
    *head_vectors.FILES,
)
