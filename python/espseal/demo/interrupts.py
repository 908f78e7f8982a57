"""Ctrl-C at the right moments only: amid the start or the end of threads it leaves some behind."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Puts Ctrl-C off while it is held; for the main thread."""

    def __init__(self) -> None:
        self._noted = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Puts Ctrl-C off until the end of the block, but for what `let_through` encloses."""
        if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            # Ignored, or someone else's affair.
            yield
            return
        signal.signal(signal.SIGINT, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._raise()

    @contextmanager
    def let_through(self) -> Iterator[None]:
        """Lets Ctrl-C through, and one that was put off first of all."""
        held = signal.getsignal(signal.SIGINT) == self._note
        if held:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            self._raise()
            yield
        finally:
            if held:
                signal.signal(signal.SIGINT, self._note)

    def _note(self, _signal: int, _frame: FrameType | None) -> None:
        self._noted = True

    def _raise(self) -> None:
        if self._noted:
            self._noted = False
            raise KeyboardInterrupt
