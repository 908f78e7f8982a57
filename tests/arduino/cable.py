"""A USB cable: a board's serial port as one of this computer."""

import contextlib
import os
import pty
import select
import threading
import tty
from typing import Self

from .sketch import Sketch


class Cable:
    """Between a board and a pseudo-terminal; a context manager.

    Arguments:
        board: may be switched on and off while it is plugged in.
    """

    def __init__(self, board: Sketch) -> None:
        self._board = board
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def port(self) -> str:
        """Its name on this computer."""
        return os.ttyname(self._slave)

    def _run(self) -> None:
        while not self._over.is_set():
            if select.select([self._master], [], [], 0.02)[0]:
                self._board.send(os.read(self._master, 65536))

    def _to_computer(self, line: str) -> None:
        # What nobody reads is lost, as on a wire.
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, line.encode())

    def __enter__(self) -> Self:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._board.listener = self._to_computer
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
        self._board.listener = lambda _line: None
        os.close(self._slave)
        os.close(self._master)
