"""An example of the library, unmodified, as a program on this computer."""

import subprocess
import threading
from pathlib import Path
from typing import Self

from .conftest import LIBRARY, OUT, run


class Sketch:
    """One board with one sketch; a context manager that switches it on and off.

    Arguments:
        folder: the board's flash and RTC memory, and what is built; it exists.
        example: which one; or the folder of another, from the library's.
        configuration: file names and their texts, in place of the example's own.
        defines: what the compiler is told besides.
    """

    def __init__(
        self, folder: Path, example: str, configuration: dict[str, str], defines: str = ""
    ) -> None:
        folder_of = example if "/" in example else f"examples/{example}"
        assert (LIBRARY / folder_of).is_dir()
        self.folder = folder
        self.lines: list[str] = []
        for name, text in configuration.items():
            (folder / name).write_text(text)
        run(
            *("make", "-s", "-j2", "sketch", f"OUT={OUT}", f"BUILD={folder}"),
            *(f"SKETCH={folder_of}", f"DEFINES={defines}"),
        )
        self._process: subprocess.Popen[str] | None = None

    @property
    def flash(self) -> bytes:
        """The two sectors."""
        return (self.folder / "flash.bin").read_bytes()

    def forget(self, *memories: str) -> None:
        """The board loses a memory: rtc.bin with the power, flash.bin by a new chip."""
        for memory in memories:
            (self.folder / memory).unlink(missing_ok=True)

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
            [self.folder / "sketch"],
            env={"BOARD": str(self.folder), "ASAN_OPTIONS": "detect_leaks=0"},
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
        assert not any("runtime error" in line or "Sanitizer" in line for line in self.lines), (
            self.lines[-40:]
        )

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            self.lines.extend(line.rstrip("\n") for line in lines)

    def __enter__(self) -> Self:
        self.on()
        return self

    def __exit__(self, *error: object) -> None:
        self.off()
