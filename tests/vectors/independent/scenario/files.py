"""The files of scenarios: their headers, and how they are checked."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from ..grammar import GRAMMAR, Fields, VectorFile, file_text
from .contact import contact_scenarios
from .device_player import DevicePlayer
from .devices import device_scenarios
from .epochs import epoch_scenarios
from .gateways import gateway_scenarios
from .hellos import hello_scenarios
from .player import HostPlayer
from .verdicts import verdict_scenarios

HOST_HEADER: Final = f"""\
What a host says and publishes, step by step. README.md explains the steps.

{GRAMMAR}"""


DEVICE_HEADER: Final = f"""\
What a device says and publishes, step by step. README.md explains the steps.

{GRAMMAR}"""


def host_records() -> Iterator[Fields]:
    for script in chain(
        contact_scenarios(),
        hello_scenarios(),
        epoch_scenarios(),
        verdict_scenarios(),
        gateway_scenarios(),
    ):
        left = [host.published for host in script.player.hosts.values() if host.published]
        assert not left, f"{script.name}: published and not claimed: {left}"
        yield from (record.items() for record in script.records)


def device_records() -> Iterator[Fields]:
    for script in device_scenarios():
        assert not script.device.published, f"{script.name}: published and not claimed"
        yield from (record.items() for record in script.records)


FILES: Final = (
    VectorFile("sealed_scenario.txt", lambda: file_text(HOST_HEADER, host_records()), HostPlayer()),
    VectorFile(
        "sealed_device.txt", lambda: file_text(DEVICE_HEADER, device_records()), DevicePlayer()
    ),
)
