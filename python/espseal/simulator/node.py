"""A simulated node: a board, its thread, and a hand on its power switch and serial port."""

import threading
from collections.abc import Callable, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from espseal.simulator.board import Board
from espseal.simulator.config import render
from espseal.simulator.loop import Loop
from espseal.simulator.lua import LuaVersion
from espseal.simulator.machine import End, Machine

_BOOT_SECONDS = 0.05
_PATIENCE = 10.0


def firmware_files(directory: Path | Traversable | None = None) -> dict[str, bytes]:
    """The Lua files of a firmware directory, by name; by default of the packaged firmware.

    Raises:
        FileNotFoundError: there is none.
    """
    place = files(__package__).joinpath("nodemcu") if directory is None else directory
    found = {f.name: f.read_bytes() for f in place.iterdir() if f.name.endswith(".lua")}
    if not found:
        raise FileNotFoundError(f"{place} holds no Lua file")
    return found


class Node:
    """One node that runs the firmware, in a thread of its own, for as long as its ``with`` block.

    Arguments:
        chip_id: what ``node.chipid()`` says; the firmware's default node ID.
        config: the fields of ``config.example.lua`` (see `espseal.simulator.config.render`);
            None for none. ``wifi_ssid`` may be left out, and ``sensor`` reads the ADC by default.
        lua: the build, "5.1" or "5.3".
        sensor: the ADC's value, an int from 0 to 1024; called in the node's thread.
        firmware: a directory of Lua files; default: the packaged firmware.
        startup: the file that runs at boot. "init.lua" as on a new NodeMCU waits for 3 s;
            "main.lua" is what ``node.startupcommand("@main.lua")`` sets.
        publish_limit: bytes of the MQTT module's send buffer: 1460, or 1024 in builds "2.1".
        wifi_delay: from the configuration of Wi-Fi to an IP address, in seconds.
        lfs: whether the firmware but for init.lua lies in the Lua Flash Store, not in files; then
            ``startup`` is "init.lua".
        on_line: called in the node's thread with each line of the serial port.

    Raises:
        ValueError: no such build of Lua.
        TypeError: a value that ``config.lua`` cannot hold.
        FileNotFoundError: the firmware directory holds no Lua file.
    """

    def __init__(
        self,
        *,
        chip_id: int,
        config: Mapping[str, Any] | None,
        lua: LuaVersion = "5.3",
        sensor: Callable[[], int] = lambda: 512,
        firmware: Path | Traversable | None = None,
        startup: str = "main.lua",
        publish_limit: int = 1460,
        wifi_delay: float = 0.02,
        lfs: bool = False,
        on_line: Callable[[str], object] | None = None,
    ) -> None:
        if lua not in ("5.1", "5.3"):
            raise ValueError(f'lua is "5.1" or "5.3", not {lua!r}')
        self._board = Board(chip_id, lua, sensor, self._take_line, publish_limit, wifi_delay)
        for name, text in firmware_files(firmware).items():
            self._board.flash[name.encode()] = text
        if lfs:
            self._into_lfs()
        if config is not None:
            self._board.flash[b"config.lua"] = render({"wifi_ssid": "simulated", **config})
        self._startup = startup
        self._on_line = on_line
        self._changed = threading.Condition()
        self._lines: list[str] = []
        self._cursor = 0
        self._panics = self._boots = 0
        self._failure: BaseException | None = None
        self._stopping = self._awake = False
        self._machine: Machine | None = None
        self._loop: Loop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Switches the power on. Raises `RuntimeError` if it was on before."""
        if self._thread is not None:
            raise RuntimeError("this node was started before; make a new one")
        self._loop = loop = Loop()
        name = f"node {self._board.chip_id}"
        self._thread = threading.Thread(target=self._run, args=(loop,), name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Switches the power off for good and frees everything; may be repeated.

        Raises whatever went wrong on the host's side in the node's thread, such as an exception
        of ``sensor``. Lua errors are no such thing: see `panics`.
        """
        if self._thread is None or self._loop is None:
            return
        if self._thread.is_alive():
            self._post(self._stop)
            self._thread.join(_PATIENCE)
            if self._thread.is_alive():
                raise RuntimeError(f"the script of {self._thread.name} does not come to an end")
        self._loop.close()
        self._loop = None
        self._raise_failure()

    def power_cycle(self) -> None:
        """Takes the power away and gives it back; returns when it is off.

        Flash stays, RAM and RTC memory do not. Also wakes a node from deep sleep.
        """
        self._in_thread(self._lose_power)

    def reflash(self, changes: Mapping[str, bytes | None]) -> None:
        """`power_cycle` with other files: each gets these bytes, or None removes it."""
        self._in_thread(lambda machine: self._reflash(machine, changes))

    def wifi_down(self) -> None:
        """Takes the access point out of reach."""
        self._in_thread(lambda machine: self._set_wifi(machine, False))

    def wifi_up(self) -> None:
        """Brings the access point back; the node gets an IP address ``wifi_delay`` later."""
        self._in_thread(lambda machine: self._set_wifi(machine, True))

    def wait_for(self, predicate: Callable[[str], bool], timeout: float = 10.0) -> str:
        """Waits for a line on the serial port.

        Arguments:
            predicate: says whether a line is the one.
            timeout: in seconds.

        Returns:
            The first such line after the one that the last call returned.

        Raises:
            TimeoutError: no such line came; the message shows the last ones.
        """
        found = ""

        def seen() -> bool:
            nonlocal found
            while self._cursor < len(self._lines):
                found = self._lines[self._cursor]
                self._cursor += 1
                if predicate(found):
                    return True
            return self._failure is not None

        with self._changed:
            arrived = self._changed.wait_for(seen, timeout)
            tail = "\n  ".join(self._lines[-12:]) or "(nothing)"
        self._raise_failure()
        if not arrived:
            raise TimeoutError(f"no such line in {timeout} s; the last ones:\n  {tail}")
        return found

    @property
    def lines(self) -> list[str]:
        """All that the serial port has printed since the start."""
        with self._changed:
            return list(self._lines)

    @property
    def stats(self) -> dict[str, int | float]:
        """The counts that main.lua keeps, since its last boot."""
        thread = self._thread
        if thread is not None and thread.is_alive() and thread is not threading.current_thread():
            self._in_thread(lambda _: None)  # the callback that printed the last line has ended
        machine = self._machine
        return dict(machine.stats) if machine is not None else {}

    @property
    def panics(self) -> int:
        """Lua errors that no script caught. One in a callback reboots the node; one in the
        start-up file leaves it at the prompt."""
        machine = self._machine
        return self._panics + (machine.panics if machine is not None else 0)

    @property
    def boots(self) -> int:
        """How often the node booted: 1 after `start`."""
        return self._boots

    @property
    def draws_before_ip(self) -> int:
        """Random numbers that scripts drew before there was an IP address: each is a repeat."""
        return self._board.draws_before_ip

    @property
    def flash(self) -> dict[str, bytes]:
        """The files, as they are."""
        return {name.decode("latin-1"): text for name, text in self._board.flash.items()}

    # In the node's thread.

    def _run(self, loop: Loop) -> None:
        try:
            self._board.power_on()
            while not self._stopping:
                self._live(loop)
        except BaseException as error:  # noqa: BLE001 - raised in the caller's thread
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _live(self, loop: Loop) -> None:
        machine = self._machine = Machine(self._board, loop)
        self._boots += 1
        try:
            machine.start(self._startup)
            loop.run(lambda: self._stopping or machine.end is not None)
        finally:
            machine.switch_off()
        self._panics += machine.panics
        machine.panics = 0
        if machine.end is End.POWER_LOSS:
            self._board.power_on()
        self._pause(loop, machine.sleep_seconds if machine.end is End.SLEEP else _BOOT_SECONDS)

    def _pause(self, loop: Loop, seconds: float | None) -> None:
        """Nothing runs: the node boots, or sleeps until its time is over or its power goes."""
        self._awake = False
        if seconds is not None:
            loop.later(seconds, self._wake)
        loop.run(lambda: self._stopping or self._awake)

    def _wake(self) -> None:
        self._awake = True

    def _into_lfs(self) -> None:
        files = self._board.flash
        names = [name for name in files if name != b"init.lua"]
        self._board.lfs = {name.removesuffix(b".lua"): files.pop(name) for name in names}

    def _stop(self) -> None:
        self._stopping = True

    def _lose_power(self, machine: Machine) -> None:
        if machine.end is None:
            machine.end = End.POWER_LOSS
        else:
            self._board.power_on()
            self._wake()

    def _reflash(self, machine: Machine, changes: Mapping[str, bytes | None]) -> None:
        for name, text in changes.items():
            if text is None:
                self._board.flash.pop(name.encode(), None)
            else:
                self._board.flash[name.encode()] = text
        self._lose_power(machine)

    def _set_wifi(self, machine: Machine, in_reach: bool) -> None:
        self._board.wifi_in_reach = in_reach
        if machine.end is None:
            machine.on_wifi(in_reach)

    def _take_line(self, line: str) -> None:
        with self._changed:
            self._lines.append(line)
            self._changed.notify_all()
        if self._on_line is not None:
            self._on_line(line)

    # In the caller's.

    def _post(self, callback: Callable[[], None]) -> None:
        if self._loop is None:
            raise RuntimeError("this node is switched off")
        self._loop.post(callback)

    def _in_thread(self, action: Callable[[Machine], None]) -> None:
        done = threading.Event()

        def call() -> None:
            machine = self._machine
            if machine is not None:
                action(machine)
            done.set()

        self._post(call)
        # A thread that has died answers no more: its failure says why.
        while not done.wait(0.1):
            if self._thread is None or not self._thread.is_alive():
                break
        self._raise_failure()

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
