"""What the caller did wrong: specific, with what to do. No key and no reading is in any of them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from espseal._native import Message
    from espseal._verdict import Verdict


class Error(Exception):
    """The base of espseal's exceptions. ``code`` is one word, the same in every language."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class KeyringError(Error):
    """The keyring cannot be used; ``file``, ``line`` (from 1) and ``field`` say where."""

    def __init__(
        self,
        message: str,
        code: str,
        *,
        file: str | None = None,
        line: int | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(message, code)
        self.file = file
        self.line = line
        self.field = field


class StoreError(Error):
    """The store failed: nothing was accepted, and nothing that was stored is lost."""


class StateError(Error):
    """A device cannot keep its counter and its key: nothing was sealed or taken."""


class DataError(Error):
    """What was given to be sealed cannot be carried by the frame."""


class SessionError(Error):
    """There is no session to seal under."""


class Rejected(Error):
    """Raised for every verdict but ``fresh`` by ``receiver.open(..., raise_rejected=True)``.

    ``verdict`` is the verdict, and ``message`` what `Receiver.open` would have returned.
    """

    def __init__(self, message: "Message") -> None:
        super().__init__(f"{message.verdict}: {message.reason}", message.verdict.value)
        self.message = message
        self.verdict: Verdict = message.verdict
