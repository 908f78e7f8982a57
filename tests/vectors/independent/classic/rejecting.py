"""The records of classic_reject.txt."""

from __future__ import annotations

from collections.abc import Iterator

from .directions import wrong_direction_records
from .forging import (
    block_records,
    exchanged_records,
    padding_records,
    tampered_records,
    told_as_raw_records,
    wrong_secret_records,
)
from .forging_macs import mac_input_records, port_forged_records
from .malformed import (
    field_length_records,
    not_hex_records,
    port_malformed_records,
    raw_malformed_records,
    too_long_records,
    unrecognised_records,
    white_space_records,
)
from .model import SEPARATED, Record


def reject_records() -> Iterator[Record]:
    yield from too_long_records()
    yield from unrecognised_records()
    yield from field_length_records()
    yield from white_space_records()
    yield from not_hex_records()
    yield from raw_malformed_records()
    yield from port_malformed_records()
    for layout in SEPARATED:
        yield from tampered_records(layout)
        yield from wrong_secret_records(layout)
        yield from exchanged_records(layout)
        yield from padding_records(layout)
    yield from block_records()
    yield from mac_input_records()
    yield from port_forged_records()
    yield from told_as_raw_records()
    yield from wrong_direction_records()
