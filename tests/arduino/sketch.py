"""An example of the library, unmodified, as a program on this computer."""

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from .conftest import LIBRARY, OUT, run


def build(
    folder: Path, example: str, configuration: dict[str, str], defines: str = "", also: str = ""
) -> Path:
    """Makes the program; the arguments are those of a `Sketch`."""
    folder_of = example if "/" in example else f"examples/{example}"
    assert (LIBRARY / folder_of).is_dir()
    for name, text in configuration.items():
        (folder / name).write_text(text)
    run(
        *("make", "-s", "-j2", "sketch", f"OUT={OUT}", f"BUILD={folder}"),
        *(f"SKETCH={folder_of}", f"DEFINES={defines}", f"ALSO={also}"),
    )
    return folder / "sketch"


class Sketch:
    """One board with one sketch; a context manager that switches it on and off.

    Arguments:
        folder: the board's flash and RTC memory, and what is built; it exists.
        example: which one; or the folder of another, from the library's.
        configuration: file names and their texts, in place of the example's own.
        defines: what the compiler is told besides.
        program: what `build` made elsewhere; then nothing is built here.
    """

    def __init__(
        self,
        folder: Path,
        example: str,
        configuration: dict[str, str],
        defines: str = "",
        program: Path | None = None,
    ) -> None:
        self.folder = folder
        self.lines: list[str] = []
        # Whoever else listens to the serial port.
        self.listener: Callable[[str], object] = lambda _line: None
        self._program = program or build(folder, example, configuration, defines)
        self._process: subprocess.Popen[str] | None = None

    @property
    def flash(self) -> bytes:
        """The two sectors."""
        return (self.folder / "flash.bin").read_bytes()

    def forget(self, *memories: str) -> None:
        """The board loses a memory: rtc.bin with the power, flash.bin by a new chip."""
        for memory in memories:
            (self.folder / memory).unlink(missing_ok=True)

    def pins(self, **levels: str) -> None:
        """Puts levels on pins, and on no other: pins(_0="LOW")."""
        new = self.folder / "pins.new"
        new.write_text("".join(f"{pin[1:]}={level}\n" for pin, level in levels.items()))
        new.rename(self.folder / "pins")

    def type(self, *lines: str) -> None:
        """Sends lines over the serial port."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{line}\n" for line in lines))
        self._process.stdin.flush()

    def send(self, data: bytes) -> None:
        """Sends bytes over the serial port; to a board without power they are lost."""
        process = self._process
        if process is not None and process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.flush()
                os.write(process.stdin.fileno(), data)

    def reset(self, reason: int = 6) -> None:
        """RTC memory stays: 6 is the reset button, others are in user_interface.h."""
        self.off()
        (self.folder / "reset").write_text(str(reason))
        self.on()

    def said(self, start: str) -> int:
        """How many lines on the serial port began so."""
        return sum(line.startswith(start) for line in self.lines)

    def wait(self) -> int:
        """Waits for the program's end: 42 is deep sleep."""
        assert self._process is not None
        code = self._process.wait(60)
        self.off()
        return code

    def on(self) -> None:
        """The power comes."""
        self._process = subprocess.Popen(
            [self._program],
            env={"BOARD": str(self.folder), "ASAN_OPTIONS": "detect_leaks=0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,))
        self._reader.start()

    def off(self) -> None:
        """The power fails, without a warning."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            self._reader.join()
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        assert not any("runtime error" in line or "Sanitizer" in line for line in self.lines), (
            self.lines[-40:]
        )

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.lines.append(line.rstrip("\n"))
                self.listener(line)

    def __enter__(self) -> Self:
        self.on()
        return self

    def __exit__(self, *error: object) -> None:
        self.off()
