"""Classic frames that verify, and are not what the opener takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..draw import flipped
from .cases import forged, plain, wrong_direction
from .model import SEPARATED, Direction, Record
from .seal import fields_of, frame_of, join


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
