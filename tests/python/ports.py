"""A serial port with a board on it that a test scripts: a pseudo-terminal."""

import os
import pty
import select
import threading
import tty
from collections.abc import Callable
from typing import Self
from urllib.parse import unquote


class Board:
    """Speaks the protocol of the reference sketch as a test wants it; a context manager.

    Arguments:
        before: sees each line first; what it returns is the answer, and None leaves that to the
            board. It may call `say` as well.
    """

    def __init__(self, before: Callable[[str], str | None] = lambda _line: None) -> None:
        self.address = "none"
        self.mode = "unprovisioned"
        self.heard: list[str] = []
        self.draft: dict[str, str] = {}
        self.stored: dict[str, str] = {}
        self._before = before
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def port(self) -> str:
        """Its name."""
        return os.ttyname(self._slave)

    def say(self, text: str | bytes) -> None:
        """Whatever it says besides."""
        os.write(self._master, text if isinstance(text, bytes) else text.encode())

    def drain(self, talker: threading.Thread) -> None:
        """Reads what nobody reads any more, until who says it ends."""
        while talker.is_alive():
            if select.select([self._slave], [], [], 0.02)[0]:
                os.read(self._slave, 4096)

    def unplug(self) -> None:
        """The cable is gone."""
        self._over.set()

    def _answer(self, line: str) -> str | None:
        match line.split(" "):
            case ["espseal?"]:
                return f"espseal 1 {self.mode} {self.address} Reference/1.0"
            case ["begin"]:
                self.draft = {}
                return "espseal ok"
            case ["set", name, value]:
                self.draft[name] = unquote(value)
                return "espseal ok"
            case ["save", _]:
                self.stored = self.draft
                self.address, self.mode = self.draft["address"], "run"
                return f"espseal saved {self.address}\nets Jan  8 2013,rst cause:2, boot mode:(3,6)"
        return None

    def _run(self) -> None:
        held = b""
        while not self._over.is_set():
            if not select.select([self._master], [], [], 0.02)[0]:
                continue
            try:
                held += os.read(self._master, 4096)
            except OSError:
                # Nobody has the other end open.
                continue
            *lines, held = held.split(b"\n")
            for line in map(bytes.decode, lines):
                self.heard.append(line)
                answer = self._before(line)
                if answer is None:
                    answer = self._answer(line)
                if answer:
                    self.say(f"{answer}\r\n")
        os.close(self._master)

    def __enter__(self) -> Self:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
        os.close(self._slave)
