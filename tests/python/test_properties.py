"""Properties over any input."""

from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from espseal import Verdict, classic
from keyrings import device, keyring, receiver

KEYS = classic.ClassicKeys.generate()
SESSION = b"0123456789abcdef0123456789abcdef"
LAYOUTS = st.sampled_from(["hex", "raw"])
Layout = Literal["hex", "raw"]


def most(layout: Layout) -> int:
    """The most data that a frame of 2048 bytes carries."""
    return 960 if layout == "hex" else 1968


@given(LAYOUTS, st.binary(max_size=2000))
def test_round_trip(layout: Layout, data: bytes) -> None:
    data = data.rstrip(b"\0")[: most(layout)].rstrip(b"\0")
    frame = classic.seal(KEYS, "1234567", data, SESSION, layout=layout)
    opened = classic.open(frame, KEYS, [SESSION])
    assert (opened.verdict, opened.node, opened.data) == (Verdict.FRESH, b"1234567", data)


@given(LAYOUTS, st.binary(max_size=2000))
def test_round_trip_of_binary_data(layout: Layout, data: bytes) -> None:
    data = data[: most(layout)]
    frame = classic.seal(KEYS, "1234567", data, SESSION, layout=layout, mode="binary")
    opened = classic.open(frame, KEYS, [SESSION], data="binary")
    assert (opened.verdict, opened.data) == (Verdict.FRESH, data)


@given(LAYOUTS, st.binary(max_size=40), st.data())
def test_every_flip_of_one_bit_is_refused(layout: Layout, data: bytes, draw: st.DataObject) -> None:
    frame = classic.seal(KEYS, "1234567", data.rstrip(b"\0"), SESSION, layout=layout)
    bit = draw.draw(st.integers(0, len(frame) * 8 - 1))
    flipped = bytearray(frame)
    flipped[bit // 8] ^= 1 << bit % 8
    digits = flipped if layout == "hex" else flipped[-40:]
    original = frame if layout == "hex" else frame[-40:]
    same = bytes(digits).lower() == original.lower() and flipped[:-40] == (
        flipped[:-40] if layout == "hex" else frame[:-40]
    )
    verdict = classic.open(flipped, KEYS, [SESSION]).verdict
    assert (verdict is Verdict.FRESH) == same


HOST = receiver(keyring())
GOOD = device(HOST).seal(b"21.5")


@settings(max_examples=500)
@given(
    st.one_of(
        st.binary(max_size=2100),
        st.text("0123456789abcdefABCDEF, \n", max_size=400).map(str.encode),
        st.lists(st.integers(0, len(GOOD) - 1), max_size=3).map(
            lambda places: bytes(b for at, b in enumerate(GOOD) if at not in places)
        ),
    ),
    st.sampled_from([None, "sensors/kitchen", "elsewhere", ""]),
    st.booleans(),
)
def test_random_bytes_never_open_and_never_raise(
    payload: bytes, topic: str | None, retained: bool
) -> None:
    if payload == GOOD:
        return
    message = HOST.open(payload, topic=topic, retained=retained)
    assert message.verdict is not Verdict.FRESH
    assert message.data is None
    assert message.reason
    HOST.hear(payload, topic="sensors/session")
