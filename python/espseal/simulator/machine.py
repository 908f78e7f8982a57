"""One life of a simulated node, from its boot to its reset."""

from collections.abc import Callable
from enum import Enum

from espseal.simulator.board import HEAP, Board, Generator
from espseal.simulator.loop import Loop, Timer
from espseal.simulator.lua import Runtime, ScriptError, Value
from espseal.simulator.shims import SHIMS


class End(Enum):
    """Why a life ended."""

    RESTART = "node.restart()"
    SLEEP = "node.dsleep()"
    PANIC = "panic"
    POWER_LOSS = "power loss"


class Machine:
    """The Lua of one boot, its modules, and what runs on it.

    Must be made, run and switched off in the loop's thread.
    """

    def __init__(self, board: Board, loop: Loop) -> None:
        self.board = board
        self.generator = Generator(board)
        self.end: End | None = None
        self.sleep_seconds: float | None = None
        self.panics = 0
        self.stats: dict[str, int | float] = {}
        self.on_wifi: Callable[[bool], None] = lambda _: None
        """Tells the Wi-Fi shim that the access point appeared or disappeared."""
        self.on_stall: list[Callable[[], None]] = []
        """Tells each open connection that the air is silent."""
        self._loop = loop
        self._started = loop.now()
        self._at_off: list[Callable[[], None]] = []
        self.lua = Runtime(board.lua, board.flash.get, self._print)
        for shim in SHIMS:
            shim(self)
        self._baseline = self.lua.memory()

    @property
    def loop(self) -> Loop:
        """The events; for callbacks into Lua use `soon` and `later`, which die with the machine."""
        return self._loop

    def start(self, file: str) -> None:
        """Runs the start-up file. An error in it leaves the node at the prompt, as on NodeMCU."""
        try:
            self.lua.run_file(file)
        except ScriptError as error:
            self.panics += 1
            self.board.write_line(str(error))
        self._look_at_stats()

    def call(self, function: Value, *arguments: Value) -> None:
        """Calls a callback of the script. An error in it is a panic and a reboot."""
        if self.end is not None or function is None:
            return
        try:
            self.lua.call(function, *arguments)
        except ScriptError as error:
            self.panics += 1
            self.board.write_line(f"PANIC: unprotected error in call to Lua API ({error})")
            self.end = End.PANIC
        self._look_at_stats()

    def soon(self, callback: Callable[[], None]) -> None:
        """Has a callback run after the present one, unless the machine has ended."""
        self._loop.soon(lambda: None if self.end else callback())

    def later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Has a callback run after a time in seconds, unless the machine has ended."""
        return self._loop.later(seconds, lambda: None if self.end else callback())

    def at_off(self, callback: Callable[[], None]) -> None:
        """Has a callback run when the machine is switched off: to close what it holds."""
        self._at_off.append(callback)

    def switch_off(self) -> None:
        """Closes everything; nothing of the script runs any more."""
        self.end = self.end or End.POWER_LOSS
        while self._at_off:
            self._at_off.pop()()

    def seconds(self) -> float:
        """Time since boot."""
        return self._loop.now() - self._started

    def free_heap(self) -> int:
        """Bytes left to the script, about: the host's pointers are twice as long as the chip's."""
        return max(0, HEAP - (self.lua.memory() - self._baseline))

    def _print(self, line: bytes) -> None:
        self.board.write_line(line.decode("utf-8", "backslashreplace"))

    def _look_at_stats(self) -> None:
        self.stats = self.lua.global_counts("stats")
