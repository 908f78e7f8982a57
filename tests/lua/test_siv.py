"""siv.lua: the same bytes as pyca's AES-SIV, on every build's crypto.mask, and at what cost."""

import random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from .conftest import Bench
from .sealed_host import DEVICE_KEY, Frame, Kind, expand

MASKS = {
    "as it is": "crypto.mask",
    # Builds before 2016-12 repeat the first four bytes of the mask, silently.
    "of four bytes": """function(text, mask)
        local out = {}
        for at = 1, #text do
          local i = (at - 1) % 4 + 1
          out[at] = crypto.mask(text:sub(at, at), mask:sub(i, i))
        end
        return table.concat(out)
      end""",
    "missing": "nil",
}

SETUP = """
    bytes, calls = require("bytes"), 0
    local function counted(name)
      return function(...)
        calls = calls + 1
        return crypto[name](...)
      end
    end
    siv = require("siv"){
      encrypt = counted("encrypt"), decrypt = counted("decrypt"), hmac = crypto.hmac, mask = %s,
    }
    key = siv.key(bytes.unhex("%s"))
    function seal(header, session, context, plaintext)
      calls = 0
      return siv.seal(key, header, session, context, plaintext)
    end
    function open(header, session, context, v, text)
      calls = 0
      return siv.open(key, header, {session}, context, v, text)
    end
"""
KEY = expand(DEVICE_KEY, b"uplink")


class Siv:
    """siv.lua under one key."""

    def __init__(self, bench: Bench, mask: str) -> None:
        self._bench = bench
        bench.run(SETUP % (MASKS[mask], KEY.hex()) + "return 0")
        self._seal, self._open = bench.run("return seal, open")
        self._siv = AESSIV(KEY)

    def check(self, header: bytes, session: bytes, context: bytes, plaintext: bytes) -> None:
        """Seals and opens as pyca does."""
        call = self._bench.machine.lua.call
        v, text = call(self._seal, header, session, context, plaintext)
        assert v + text == self._siv.encrypt(plaintext, [header, session, context])
        assert call(self._open, header, session, context, v, text) == (plaintext, 1)
        damaged = bytes([v[0] ^ 1]) + v[1:]
        assert call(self._open, header, session, context, damaged, text) is None

    def calls(self) -> int:
        """AES calls of the last seal or open."""
        number: int = self._bench.run("return calls")
        return number


@pytest.fixture(params=MASKS)
def mask(request: pytest.FixtureRequest) -> str:
    """Which crypto.mask the build has."""
    name: str = request.param
    return name


def frame(counter: int, plaintext: bytes = b"12345678901234567890") -> tuple[bytes, bytes]:
    """The header and the plaintext of a reading."""
    reading = Frame(Kind.DATA, False, 0, counter, b"", plaintext)
    return reading.header(), plaintext


def test_every_length(bench: Bench, mask: str) -> None:
    siv = Siv(bench, mask)
    draw = random.Random(7)
    for length in range(67):
        for session in (b"", draw.randbytes(16)):
            for context in (b"", b"home/relay/cmd", draw.randbytes(length)):
                siv.check(draw.randbytes(20), session, context, draw.randbytes(length))


@pytest.mark.parametrize(
    ("mask_", "most"), [("as it is", 3), ("of four bytes", 13), ("missing", 13)]
)
def test_the_cost_of_twenty_bytes(bench: Bench, mask_: str, most: int) -> None:
    siv = Siv(bench, mask_)
    call = bench.machine.lua.call
    seal, open_ = bench.run("return seal, open")
    for counter in range(1, 5):
        header, plaintext = frame(counter)
        v, text = call(seal, header, b"", b"", plaintext)
        if counter > 1:
            assert siv.calls() == most
        call(open_, header, b"", b"", v, text)
        assert siv.calls() == most


def test_the_counter_of_ctr_carries(bench: Bench, mask: str) -> None:
    """V of this frame ends in ff."""
    bench.run(SETUP % (MASKS[mask], KEY_OF_THE_TEXT.hex()) + "return 0")
    header = Frame(Kind.DATA, False, 0, 0x9E49, b"", b"", ADDRESS_OF_THE_TEXT).header()
    v, text = bench.machine.lua.call(bench.run("return seal"), header, b"", b"", bytes(40))
    assert v.endswith(b"\x9e\xff\xff")
    assert v + text == AESSIV(KEY_OF_THE_TEXT).encrypt(bytes(40), [header, b"", b""])


ADDRESS_OF_THE_TEXT = bytes.fromhex("0011223344556677")
KEY_OF_THE_TEXT = bytes.fromhex("05143845bca192c4fe57252ba72a5ec4249ff2c41c4c3e3f3acd301f9de08b5b")


def test_counters_past_the_cached_block(bench: Bench, mask: str) -> None:
    """The first 16 bytes of the header change every 2^32 frames."""
    siv = Siv(bench, mask)
    for counter in (1, 2**32 - 1, 2**32, 2**32 + 1, 1, 2**64 - 1):
        header, plaintext = frame(counter)
        siv.check(header, b"", b"", plaintext)


def test_sessions_that_alternate(bench: Bench, mask: str) -> None:
    siv = Siv(bench, mask)
    for counter, session in enumerate([b"a" * 16, b"", b"b" * 16, b"a" * 16, b"", b""], 1):
        header, plaintext = frame(counter)
        siv.check(header, session, b"", plaintext)


def test_hkdf_expand(bench: Bench, mask: str) -> None:
    Siv(bench, mask)
    got = bench.run('return siv.expand(("k"):rep(32), "ratchet")')
    assert got == expand(b"k" * 32, b"ratchet")
