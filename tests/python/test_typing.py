"""Code that mypy checks as a user's would be, and that runs."""

from typing import assert_type

import espseal
from keyrings import device, keyring, receiver


def test_types() -> None:
    host = receiver(keyring())
    message = host.open(device(host).seal("1"), topic="sensors/kitchen")
    assert_type(message.verdict, espseal.Verdict)
    assert_type(message.device, str | None)
    assert_type(message.data, bytes | None)
    assert_type(host.counts, dict[espseal.Verdict, int])
    assert_type(host.next_due(), float | None)
    match message.verdict:
        case espseal.Verdict.FRESH:
            assert message.data == b"1"
        case _:
            raise AssertionError(message)
