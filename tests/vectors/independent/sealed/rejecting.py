"""The records of sealed_reject.txt."""

from __future__ import annotations

from collections.abc import Iterator

from .forging import direction_and_forged_records, forged_records, wrong_direction_records
from .malarmored import malarmored_records
from .malformed import malformed_records
from .model import Rejection


def reject_records() -> Iterator[Rejection]:
    yield from malformed_records()
    yield from malarmored_records()
    yield from wrong_direction_records()
    yield from direction_and_forged_records()
    yield from forged_records()
