"""The records of sealed_head.txt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ..grammar import GRAMMAR, Fields, VectorFile, file_text
from .model import LAST_COUNTER
from .window import CommandHead

HEADER: Final = f"""\
The last counter that a device keeps of its host's commands: no window. The counters come in this
order, in frames that verify under the device's session at the time.

{GRAMMAR}
Counters are 8 bytes, big-endian; a list is separated by single spaces.

counters         a list; the word session for a new session, of which no counter is known yet
expect           a list: fresh, duplicate or replayed; and - for session
head_after       the last accepted counter; or none"""


def records() -> Iterator[Fields]:
    last = LAST_COUNTER
    for name, about, items in (
        ("in-order", "In order: each is fresh.", [1, 2, 3]),
        ("first-of-a-session", "Of a new session any counter is fresh.", [4711]),
        ("from-1", "Counter 1 is fresh.", [1]),
        ("gaps", "With gaps.", [6, 9, 1000, 1 << 40]),
        ("equal", "The same again is a duplicate, as often as it comes.", [6, 6, 6]),
        ("lower", "6, 7, then 5: a withheld command never opens after a later one.", [6, 7, 5]),
        ("lower-never-seen", "Lower, and never seen: there is no window.", [10, 9, 8, 1]),
        ("lower-seen", "Lower, and seen: not a duplicate, since only the last is kept.", [6, 7, 6]),
        ("refused-changes-nothing", "A refused counter changes nothing.", [6, 3, 6, 4, 7, 5, 7]),
        ("last", "The last counter, and nothing is above.", [1, last, last, last - 1, 1]),
        ("over-2-to-the-31", "Over 2^31.", [(1 << 31) - 1, 1 << 31, (1 << 31) - 1]),
        ("over-2-to-the-32", "Over 2^32.", [(1 << 32) - 1, 1 << 32, (1 << 32) - 1, 1 << 32]),
        ("over-2-to-the-53", "Over 2^53.", [1 << 53, (1 << 53) + 1, 1 << 53, (1 << 53) + 1]),
        ("over-2-to-the-63", "Over 2^63.", [(1 << 63) - 1, 1 << 63, (1 << 63) - 1]),
        ("low-byte-first", "Compared from the high end: 255, 256, 511, 512.", [255, 256, 511, 512]),
        ("low-half-lower", "A lower low half, a higher high half.", [0xFFFFFFFF, 1 << 32, 5 << 32]),
        ("high-half-lower", "A higher low half, a lower high half.", [5 << 32, (4 << 32) + 9]),
        ("session-resets", "A new session knows no counter.", [6, 7, None, 5, 5, 4, 6]),
        ("session-after-last", "A new session after the last counter.", [last, None, 1, 2]),
        ("session-twice", "Two new sessions.", [6, None, None, 6, 6, None, 6]),
        ("session-same-counter", "The same counter under the next session.", [6, None, 6, 6]),
        ("session-alone", "A session without a command.", [9, None]),
    ):
        yield heads(name, about, items)


def heads(name: str, about: str, items: Sequence[int | None]) -> Fields:
    yield "name", name
    yield "about", about
    yield "counters", " ".join("session" if i is None else f"{i:016x}" for i in items)
    head, verdicts = CommandHead(), []
    for item in items:
        if item is None:
            head = CommandHead()
            verdicts.append("-")
            continue
        verdict = head.verdict(item)
        verdicts.append(verdict)
        if verdict == "fresh":
            head.last = item
    yield "expect", " ".join(verdicts)
    yield "head_after", "none" if head.last is None else f"{head.last:016x}"


def check(record: dict[str, str]) -> None:
    """Judge by all that was accepted under the session."""
    verdicts: list[str] = []
    accepted: list[int] = []
    for word in record["counters"].split(" "):
        if word == "session":
            accepted.clear()
            verdicts.append("-")
        elif all(int(word, 16) > earlier for earlier in accepted):
            accepted.append(int(word, 16))
            verdicts.append("fresh")
        else:
            verdicts.append("duplicate" if int(word, 16) == accepted[-1] else "replayed")
    assert record["expect"].split(" ") == verdicts
    assert record["head_after"] == (f"{accepted[-1]:016x}" if accepted else "none")


FILES: Final = (VectorFile("sealed_head.txt", lambda: file_text(HEADER, records()), check),)
