"""What the C core seals the Rust core opens, and the reverse, in one process."""

import ctypes
import random
from pathlib import Path
from typing import Literal

import pytest

import espseal
from espseal import sealed
from espseal.classic import ClassicKeys
from espseal.classic import open as classic_open
from espseal.classic import seal as classic_seal

# Of each format in each direction; 100 000 in all, and some.
MESSAGES = 26_000
RAW, PORT, BINARY = 1, 2, 4
SCHEMES: list[tuple[int, Literal["hex", "raw", "port"], Literal["text", "binary"]]] = [
    (0, "hex", "text"),
    (RAW, "raw", "text"),
    (BINARY, "hex", "binary"),
    (PORT, "port", "text"),
]
KINDS: list[tuple[int, Literal["data", "hello", "control"]]] = [
    (0, "data"),
    (4, "hello"),
    (8, "control"),
]
OK, FRESH = 0, 10


class Header(ctypes.Structure):
    """The core's `espseal_header`."""

    _fields_ = (
        ("flags", ctypes.c_uint8),
        ("epoch", ctypes.c_uint16),
        ("address", ctypes.c_uint8 * 8),
        ("counter", ctypes.c_uint64),
    )


@pytest.fixture(scope="module")
def core(host: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(host / "libespseal.so"))
    for name in ("cross_classic_seal", "cross_classic_open"):
        library[name].restype = ctypes.c_long
    return library


@pytest.fixture
def draw() -> random.Random:
    return random.Random(20261121)


def lengths(draw: random.Random) -> int:
    """Mostly readings; some are long, some end with a block, some are empty."""
    return draw.choice([draw.randrange(40), draw.randrange(40), 16 * draw.randrange(9), 600])


@pytest.mark.parametrize("downlink", [False, True], ids=["uplink", "downlink"])
def test_sealed_by_c(core: ctypes.CDLL, draw: random.Random, downlink: bool) -> None:
    frame = ctypes.create_string_buffer(700)
    for _ in range(MESSAGES):
        key, address = draw.randbytes(32), draw.randbytes(8)
        data = draw.randbytes(lengths(draw))
        session = draw.randbytes(16) if draw.randrange(2) else None
        flag, kind = draw.choice(KINDS)
        # Only a device says hello, and a control frame is bound.
        if (kind == "hello" and downlink) or (kind == "control" and session is None):
            flag, kind = 0, "data"
        epoch, counter = draw.randrange(65536), draw.randrange(1, 1 << 64)
        error = core.cross_sealed_seal(
            key,
            int(downlink),
            flag,
            epoch,
            address,
            ctypes.c_uint64(counter),
            session,
            data,
            ctypes.c_size_t(len(data)),
            frame,
            ctypes.c_size_t(len(frame)),
        )
        assert error == OK
        opened = sealed.open(
            frame.raw[: len(data) + 36],
            sealed.DeviceKey(key),
            direction="downlink" if downlink else "uplink",
            sessions=[session] if session else [],
        )
        assert opened.verdict == espseal.Verdict.FRESH
        assert (opened.data, opened.kind, opened.epoch) == (data, kind, epoch)
        assert (opened.counter, opened.address) == (counter, address.hex())


@pytest.mark.parametrize("downlink", [False, True], ids=["uplink", "downlink"])
def test_opened_by_c(core: ctypes.CDLL, draw: random.Random, downlink: bool) -> None:
    header = Header()
    for _ in range(MESSAGES):
        key, address = draw.randbytes(32), draw.randbytes(8)
        data = draw.randbytes(lengths(draw))
        session = draw.randbytes(16) if draw.randrange(2) else None
        epoch, counter = draw.randrange(65536), draw.randrange(1, 1 << 64)
        sent = sealed.seal(
            sealed.DeviceKey(key),
            data,
            address=address.hex(),
            counter=counter,
            epoch=epoch,
            direction="downlink" if downlink else "uplink",
            session=session,
        )
        frame = ctypes.create_string_buffer(sent, len(sent))
        verdict = core.cross_sealed_open(
            key, int(downlink), session, frame, ctypes.c_size_t(len(sent)), ctypes.byref(header)
        )
        assert verdict == FRESH
        assert frame.raw[36:] == data
        assert (header.epoch, header.counter) == (epoch, counter)
        assert bytes(header.address) == address


def drawn(draw: random.Random) -> tuple[bytes, ClassicKeys, bytes, bytes]:
    """Keys for both, a session and data."""
    parts = [draw.randbytes(16) for _ in range(3)] + [draw.randbytes(draw.randrange(1, 80))]
    iv_key, data_key, static_iv, passphrase = parts
    keys = ClassicKeys(iv_key=iv_key, data_key=data_key, static_iv=static_iv, passphrase=passphrase)
    data = draw.randbytes(lengths(draw)).rstrip(b"\0")
    return b"".join(parts), keys, draw.randbytes(16).hex().encode(), data


@pytest.mark.parametrize("command", [False, True], ids=["reading", "command"])
def test_classic_sealed_by_c(core: ctypes.CDLL, draw: random.Random, command: bool) -> None:
    frame = ctypes.create_string_buffer(2048)
    for _ in range(MESSAGES // 2):
        raw_keys, keys, session, data = drawn(draw)
        flags, layout, mode = draw.choice(SCHEMES)
        count = core.cross_classic_seal(
            raw_keys,
            ctypes.c_size_t(len(raw_keys) - 48),
            flags,
            None if command else b"11242238",
            b"11242238" if command else None,
            session,
            data,
            ctypes.c_size_t(len(data)),
            frame,
            ctypes.c_size_t(len(frame)),
        )
        assert count > 0
        opened = classic_open(frame.raw[:count], keys, [session], layout=layout, data=mode)
        assert opened.data == data
        if layout != "port":
            assert opened.node == (b">11242238" if command else b"11242238")


@pytest.mark.parametrize("command", [False, True], ids=["reading", "command"])
def test_classic_opened_by_c(core: ctypes.CDLL, draw: random.Random, command: bool) -> None:
    for _ in range(MESSAGES // 2):
        raw_keys, keys, session, data = drawn(draw)
        flags, layout, mode = draw.choice(SCHEMES)
        if layout == "port" and command:
            flags, layout, mode = 0, "hex", "text"
        node = b">11242238" if command else b"11242238"
        sent = classic_seal(keys, node, data, session, layout=layout, mode=mode)
        frame = ctypes.create_string_buffer(sent, len(sent))
        at = ctypes.c_size_t()
        count = core.cross_classic_open(
            raw_keys,
            ctypes.c_size_t(len(raw_keys) - 48),
            flags,
            b"11242238" if command else None,
            session,
            frame,
            ctypes.c_size_t(len(sent)),
            ctypes.byref(at),
        )
        assert count == len(data)
        assert frame.raw[at.value : at.value + count] == data
