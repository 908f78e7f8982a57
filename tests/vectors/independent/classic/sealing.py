"""The records of classic_seal.txt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..draw import draw
from ..outcomes import Refused
from .cases import article_iv, draw_keys, ending_in_nul, largest_data, ported, separated
from .known import known_answers
from .model import SEPARATED, Case, Direction, Record, Separated
from .seal import seal


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
