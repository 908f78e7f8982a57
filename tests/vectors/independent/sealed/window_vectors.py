"""The records of sealed_window.txt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ..draw import draw
from ..grammar import GRAMMAR, Fields, VectorFile, file_text
from .model import LAST_COUNTER
from .window import ALL, SIZE, Window, first_contact

HEADER: Final = f"""\
The window that a host keeps for a device: one for all epochs. The counters come in this order, in
frames that verify.

{GRAMMAR}
Counters, heads and bits are 8 bytes, big-endian; a list is separated by single spaces.

head, bits       the window before the first counter: bit i (worth 2^i) stands for head - i
first_contact    instead of those, there is no window and the first counter opens it: the seconds
                 in the beacon session that its frame is bound to, decimal; or none: it is not
                 bound, and danger_first_contact is set
counters         a list
expect           a list: fresh, duplicate or replayed
advanced         a list: 1 if the counter is fresh and was above the head, else 0
head_after       the window after the last counter
bits_after"""

HEAD: Final = 0x0000_0000_0001_0000


def records() -> Iterator[Fields]:
    yield from edge_records()
    yield from jump_records()
    yield from order_records()
    yield from end_records()
    yield from mistake_records()
    yield from first_contact_records()
    yield mixed_history()


def history(
    name: str,
    about: str,
    counters: Sequence[int],
    *,
    head: int = HEAD,
    bits: int = 1,
    contact: int | str | None = None,
) -> Fields:
    yield "name", name
    yield "about", about
    if contact is None:
        window, rest = Window(head, bits), counters
        yield "head", f"{head:016x}"
        yield "bits", f"{bits:016x}"
        verdicts, advanced = [], []
    else:
        window, rest = first_contact(counters[0], contact_time(str(contact))), counters[1:]
        yield "first_contact", str(contact)
        verdicts, advanced = ["fresh"], ["1"]
    for counter in rest:
        verdict = window.verdict(counter)
        verdicts.append(verdict)
        advanced.append("1" if verdict == "fresh" and window.take(counter) else "0")
    yield "counters", " ".join(f"{counter:016x}" for counter in counters)
    yield "expect", " ".join(verdicts)
    yield "advanced", " ".join(advanced)
    yield "head_after", f"{window.head:016x}"
    yield "bits_after", f"{window.bits:016x}"


def contact_time(word: str) -> int | None:
    return None if word == "none" else int(word)


def edge_records() -> Iterator[Fields]:
    for name, below, bits in (
        ("head", 0, 1),
        ("head-less-1", 1, 1),
        ("head-less-31", 31, 1),
        ("head-less-32", 32, 1),
        ("head-less-62", 62, 1),
        ("head-less-63", 63, 1),
        ("head-less-64", 64, 1),
        ("head-less-65", 65, 1),
        ("head-less-128", 128, 1),
    ):
        about = f"The head less {below}, twice; nothing but the head was accepted."
        yield history(f"at-{name}", about, [HEAD - below] * 2, bits=bits)
    for name, below in (("1", 1), ("31", 31), ("32", 32), ("63", 63)):
        about = f"All bits set but that of the head less {below}."
        counters = [HEAD - below - 1, HEAD - below, HEAD - below + 1, HEAD - below]
        yield history(f"one-bit-clear-{name}", about, counters, bits=ALL & ~(1 << below))
    about = "All bits set: nothing at or below the head is new."
    counters = [HEAD - below for below in (0, 1, 32, 63, 64)]
    yield history("all-bits-set", about, [*counters, HEAD + 1], bits=ALL)
    yield history("counter-1", "Counter 1, far below.", [1, 1])
    about = "Counter 1 within the window of head 64: at its end."
    yield history("counter-1-at-end", about, [1, 1], head=64)
    about = "Counter 1 just below the window of head 65."
    yield history("counter-1-below-end", about, [1, 2, 2, 1], head=65)
    yield history("head-1", "Head 1: the least that there is.", [1, 2, 1, 2, 3], head=1)
    about = "A head near the start: the window reaches below 1, where no counters are."
    yield history("head-3", about, [1, 2, 3, 1, 2, 4], head=3)


def jump_records() -> Iterator[Fields]:
    for jump in (1, 2, 31, 32, 33, 62, 63, 64, 65, 127, 128, 1 << 20, 1 << 32):
        about = f"A jump of {jump} over a full window, then counters on both sides of what it left."
        after = HEAD + jump
        counters = [after, after, HEAD, HEAD + 1, HEAD - 1, after - 63, after - 64, after - 1]
        yield history(f"jump-{jump}", about, [c for c in counters if c > 0], bits=ALL)
    about = "A jump by 63 keeps the bit of the old head, and by 64 loses it, with its frame."
    yield history("jump-63-then-1", about, [HEAD + 63, HEAD, HEAD + 64, HEAD])


def order_records() -> Iterator[Fields]:
    base = HEAD
    about = "In order."
    yield history("in-order", about, [base + i for i in range(1, 9)])
    about = "Backwards within the window: each is fresh, one advances."
    yield history("backwards", about, [base + i for i in range(64, 0, -1)])
    about = "Backwards over the whole of it, and the next below."
    yield history("backwards-past-the-end", about, [base + i for i in range(64, -1, -1)], bits=ALL)
    about = "Neighbours exchanged."
    pairs = [base + i ^ 1 for i in range(2, 18)]
    yield history("exchanged", about, pairs)
    about = "Each twice."
    yield history("each-twice", about, [base + i // 2 for i in range(2, 18)])
    about = "A whole stretch, and again from its start."
    stretch = [base + i for i in range(1, 33)]
    yield history("again-from-start", about, stretch * 2)
    about = "70 in order, then all again: the first 6 lie below the window."
    stretch = [base + i for i in range(1, 71)]
    yield history("again-and-below", about, stretch * 2)
    about = "A late one: it does not advance."
    yield history("late", about, [base + 1, base + 3, base + 2, base + 4])
    about = "A refused counter changes nothing."
    yield history(
        "refused-changes-nothing", about, [base - 64, base, base - 63, base - 64, base - 63]
    )


def end_records() -> Iterator[Fields]:
    last = LAST_COUNTER
    about = "The last counter, from far below, and then nothing is above."
    yield history("to-the-last", about, [last, last, last - 1, last - 63, last - 64, 1])
    about = "The last counters in order."
    yield history("last-in-order", about, [last - 1, last, last, last - 1], head=last - 2)
    about = "The head is the last counter: only what was missed is fresh."
    counters = [last, last - 1, last - 2, last - 63, last - 64, HEAD, 1]
    yield history("head-is-last", about, counters, head=last)
    about = "Over 2^32, in order and late."
    edge = 1 << 32
    counters = [edge - 1, edge, edge + 1, edge - 2, edge - 1, edge]
    yield history("over-2-to-the-32", about, counters, head=edge - 3)
    about = "Over 2^53, where a double has no odd numbers."
    edge = 1 << 53
    counters = [edge - 1, edge, edge + 1, edge + 2, edge + 3, edge + 1, edge - 63, edge + 2]
    yield history("over-2-to-the-53", about, counters, head=edge - 2)
    about = "Over 2^63, where a signed number turns negative."
    edge = 1 << 63
    counters = [edge - 1, edge, edge + 1, edge - 1, edge - 3, 1]
    yield history("over-2-to-the-63", about, counters, head=edge - 2)
    about = "2^32 and 0 apart in the low half alone."
    counters = [HEAD + (1 << 32), HEAD, HEAD + (1 << 32), HEAD + (1 << 33)]
    yield history("same-low-half", about, counters)


def mistake_records() -> Iterator[Fields]:
    about = "A late counter must not become the head (libcoap 1926): 10, 7, 10."
    yield history("late-is-no-head", about, [10, 7, 10, 7, 9, 11], head=2)
    about = "The same with heads far up."
    up = 1 << 40
    yield history(
        "late-is-no-head-far-up", about, [up + 60, up, up + 60, up + 1, up + 60], head=up - 9
    )
    about = "A late counter within the window is new (libcoap 1939): 3, 5, 4."
    yield history("late-is-new", about, [3, 5, 4, 4, 5, 3], head=2)
    about = "The bit of a late counter is its own, not its neighbour's (libcoap 1939)."
    counters = [HEAD + 8, HEAD + 4, HEAD + 5, HEAD + 3, HEAD + 4, HEAD + 5, HEAD + 3]
    yield history("late-bit-is-its-own", about, counters)
    about = "A shift by 64 and more must give no bits (libcoap 1939): in C it gives any."
    counters = [HEAD + 64, HEAD, HEAD + 63, HEAD + 200, HEAD + 136, HEAD + 137]
    yield history("shift-of-64", about, counters)
    about = "Nothing has to be switched on (libcoap 2036): the very same frame."
    yield history("on-by-default", about, [HEAD + 1, HEAD + 1])
    about = "Nothing has to be switched on (libcoap 2036): the same old frames after a new one."
    counters = [HEAD + 1, HEAD + 2, HEAD + 1, HEAD, HEAD + 2]
    yield history("on-by-default-all", about, counters)
    about = "Nothing has to be switched on, at first contact neither."
    beacon = 1_790_000_000
    yield history("on-by-default-at-first-contact", about, [5, 5, 4], contact=beacon)


def first_contact_records() -> Iterator[Fields]:
    beacon = 1_790_000_000
    floor = beacon << 24
    about = "A device that counts from 1: its window opens at the beacon's time, all bits set."
    yield history("contact-at-1", about, [1, 1, 2, 3, floor, floor + 1], contact=beacon)
    about = "A counter just below the beacon's time: all bits are set."
    counters = [floor - 1, floor - 1, floor, floor - 2, floor - 63, floor - 64, floor + 1]
    yield history("contact-below", about, counters, contact=beacon)
    about = "A counter that is the beacon's time."
    counters = [floor, floor, floor - 1, floor - 63, floor - 64, floor + 1, floor + 3, floor + 2]
    yield history("contact-at", about, counters, contact=beacon)
    about = "A counter above the beacon's time is the head."
    up = floor + 12345
    counters = [up, up, up - 1, up - 63, up - 64, floor, up + 1]
    yield history("contact-above", about, counters, contact=beacon)
    about = "After the welcome the device counts on from above the head."
    counters = [77, 78, floor + 1, floor + 2, floor + 3, 79, floor + 2]
    yield history("contact-and-welcome", about, counters, contact=beacon)
    about = "A first frame with the last counter."
    yield history("contact-last", about, [LAST_COUNTER, LAST_COUNTER, 1], contact=beacon)
    about = "The last second of the beacon's clock: 4294967295 << 24."
    latest = 0xFFFF_FFFF
    counters = [1, latest << 24, (latest << 24) + 1]
    yield history("contact-latest-beacon", about, counters, contact=latest)
    about = "A beacon of second 0, from a host without a clock."
    yield history("contact-beacon-0", about, [9, 8, 9, 10], contact=0)
    about = "Unbound where that is allowed: the counter is the head, and all bits are set."
    yield history("contact-unbound", about, [100, 100, 99, 37, 36, 101, 103, 102], contact="none")
    about = "Unbound where that is allowed, counter 1."
    yield history("contact-unbound-1", about, [1, 1, 2, 3, 1], contact="none")


def mixed_history() -> Fields:
    """Return 200 counters about a head that moves."""
    counters: list[int] = [HEAD]
    top = HEAD
    for step in range(199):
        choice, amount = draw("mixed-history", f"step/{step}", 2)
        if choice < 90:
            top += 1 + amount % 4
            counters.append(top)
        elif choice < 100:
            top += 60 + amount % 10
            counters.append(top)
        elif choice < 200:
            counters.append(top - amount % 70)
        else:
            counters.append(counters[amount % len(counters)])
    return history("mixed", "200 counters: new, late, again and too late.", counters)


def by_memory(record: dict[str, str]) -> tuple[list[str], list[str], int]:
    """Judge a history by remembering every counter: no bits, no shifts."""
    counters = [int(word, 16) for word in record["counters"].split(" ")]
    if "head" in record:
        head, bits = int(record["head"], 16), int(record["bits"], 16)
        taken = {head - i for i in range(SIZE) if bits >> i & 1}
        verdicts, advanced = [], []
    else:
        time = contact_time(record["first_contact"])
        head = max(counters[0], 0 if time is None else time * 16_777_216)
        taken = {head - i for i in range(SIZE)}
        counters, verdicts, advanced = counters[1:], ["fresh"], ["1"]
    for counter in counters:
        if counter <= head - SIZE:
            verdict = "replayed"
        elif counter in taken:
            verdict = "duplicate"
        else:
            verdict = "fresh"
            taken.add(counter)
        verdicts.append(verdict)
        advanced.append("1" if verdict == "fresh" and counter > head else "0")
        head = max(head, counter) if verdict == "fresh" else head
    after = sum(1 << i for i in range(SIZE) if head - i in taken)
    assert record["bits_after"] == f"{after:016x}"
    return verdicts, advanced, head


def check(record: dict[str, str]) -> None:
    verdicts, advanced, head = by_memory(record)
    assert record["expect"].split(" ") == verdicts
    assert record["advanced"].split(" ") == advanced
    assert record["head_after"] == f"{head:016x}"


FILES: Final = (VectorFile("sealed_window.txt", lambda: file_text(HEADER, records()), check),)
