"""What outlives a reset of a simulated node: its flash, its RTC memory, and the world around it."""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from espseal.simulator.lua import LuaVersion

RTC_WORDS = 128
HEAP = 44_000
"""Bytes of heap that a NodeMCU leaves to a script, about."""


@dataclass
class Board:
    """One board.

    ``chip_id``: what ``node.chipid()`` says. ``lua``: which build. ``sensor``: the value of the
    ADC, 0 to 1024. ``write_line``: the serial port. ``publish_limit``: bytes of MQTT's send
    buffer, 1460, or 1024 in builds "2.1". ``wifi_delay``: from the configuration of Wi-Fi to an
    IP address, in seconds.
    """

    chip_id: int
    lua: LuaVersion
    sensor: Callable[[], int]
    write_line: Callable[[str], None]
    publish_limit: int
    wifi_delay: float
    flash: dict[bytes, bytes] = field(default_factory=dict)
    lfs: dict[bytes, bytes] | None = None
    """The Lua Flash Store: modules by name; None if none is loaded."""
    rtc: list[int] = field(default_factory=list)
    wifi_in_reach: bool = True
    draws_before_ip: int = 0
    """How many numbers scripts drew while the generator still repeats."""

    def power_on(self) -> None:
        """RTC memory holds anything after a loss of power."""
        self.rtc = list(memoryview(os.urandom(4 * RTC_WORDS)).cast("I"))


class Generator:
    """The hardware's random numbers: with the radio off the same after every reset."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._repeating = random.Random(board.chip_id)  # noqa: S311 - repeating is the point
        self._true = random.SystemRandom()
        self.radio_up = False

    def below(self, limit: int) -> int:
        """A number from 0 to ``limit`` - 1."""
        if not self.radio_up:
            self._board.draws_before_ip += 1
        return (self._true if self.radio_up else self._repeating).randrange(limit)
