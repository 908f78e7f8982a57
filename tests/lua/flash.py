"""A flash that loses its power at any byte."""

from collections.abc import Mapping


class PowerCut(Exception):
    """The power is gone."""


class CutFlash(dict[bytes, bytes]):
    """What `Board.flash` is, until so many steps are done: a byte that is written, a file that is
    emptied, removed or renamed. What a write had still to write is left out, or reads as ``fill``.

    Arguments:
        files: what is in flash.
        steps: how many succeed.
        fill: b"" for a file that ends where the power went, or the byte that follows.
    """

    def __init__(self, files: Mapping[bytes, bytes], steps: int, fill: bytes = b"") -> None:
        super().__init__(files)
        self.steps = steps
        self._fill = fill
        self._moving: bytes | None = None

    def __setitem__(self, name: bytes, text: bytes) -> None:
        if text is self._moving:
            self._moving = None
            super().__setitem__(name, text)
            return
        written = self.get(name, b"")
        if not text.startswith(written):
            self._take(1)
            written = b""
            super().__setitem__(name, b"")
        new = len(text) - len(written)
        if new > self.steps:
            rest = self._fill * (new - self.steps)
            super().__setitem__(name, text[: len(written) + self.steps] + rest)
        self._take(new)
        super().__setitem__(name, text)

    def pop(self, name: bytes, *default: bytes | None) -> bytes:  # type: ignore[override]
        """Removes a file; `file.rename` puts what it gets back under another name at once."""
        if name in self:
            self._take(1)
        self._moving = super().pop(name, *default)
        return self._moving

    def _take(self, steps: int) -> None:
        if steps > self.steps:
            self.steps = 0
            raise PowerCut
        self.steps -= steps
