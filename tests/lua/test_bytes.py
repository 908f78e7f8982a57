"""bytes.lua against Python's integers."""

import random

from .conftest import Bench

NUMBERS = [0, 1, 2, 127, 128, 255, 256, 257, 0xFFFF, 0x10000, 0xFFFFFF, 2**24, 2**31, 2**32 - 1]
NUMBERS += [2**32, 2**53, 2**53 + 1, 2**56 - 1, 2**63 - 1, 2**63, 2**64 - 256, 2**64 - 2, 2**64 - 1]


def eight(number: int) -> bytes:
    """A counter."""
    return number.to_bytes(8, "big")


def test_add(bench: Bench) -> None:
    add = bench.run('return require("bytes").add')
    for a in NUMBERS:
        for b in (0, 1, 2, 255, 256, 1024, 0xFFFF):
            expected = eight(a + b) if a + b < 2**64 else None
            for length in (2, 3, 8):
                assert bench.machine.lua.call(add, eight(a), b.to_bytes(length, "big")) == expected


def test_before_and_below(bench: Bench) -> None:
    before, below = bench.run('local b = require("bytes") return b.before, b.below')
    for a in NUMBERS:
        assert bench.machine.lua.call(before, eight(a)) == (eight(a - 1) if a else None)
        for b in NUMBERS:
            assert bench.machine.lua.call(below, eight(a), eight(b)) is (a < b)


def test_of_and_number(bench: Bench) -> None:
    of, number = bench.run('local b = require("bytes") return b.of, b.number')
    for n in (0, 1, 255, 256, 1024, 65535):
        text = bench.machine.lua.call(of, n, 2)
        assert text == n.to_bytes(2, "big")
        assert bench.machine.lua.call(number, text) == n
        assert bench.machine.lua.call(of, n, 3) == n.to_bytes(3, "big")


def test_same(bench: Bench) -> None:
    same = bench.run('return require("bytes").same')
    draw = random.Random(1)
    for length in (0, 1, 16):
        a = draw.randbytes(length)
        assert bench.machine.lua.call(same, a, a) is True
        assert bench.machine.lua.call(same, a, a + b"\0") is False
        assert bench.machine.lua.call(same, a + b"\0", a) is False
        for at in range(8 * length):
            other = bytearray(a)
            other[at // 8] ^= 1 << at % 8
            assert bench.machine.lua.call(same, a, bytes(other)) is False


def test_hex(bench: Bench) -> None:
    to_hex, unhex = bench.run('local b = require("bytes") return b.hex, b.unhex')
    every = bytes(range(256))
    assert bench.machine.lua.call(to_hex, every) == every.hex().encode()
    assert bench.machine.lua.call(unhex, every.hex().upper().encode()) == every
