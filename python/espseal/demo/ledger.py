"""What the sensors gave, and what the receiver handed over; several threads write here."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from time import monotonic, sleep

from espseal import Message

_LOOK_AGAIN = 0.01


class Ledger:
    """Both ends of the line, to be compared at the end."""

    def __init__(self) -> None:
        self.arrivals: SimpleQueue[Message] = SimpleQueue()
        """Fresh messages, in the order of their arrival."""
        self._lock = threading.Lock()
        self._hellos = 0
        self._newest: Message | None = None
        self._sent: dict[str, list[str]] = {}
        self._arrived: dict[str, list[str]] = {}

    def gave(self, device: str, text: str) -> None:
        """The sensor of a device gave the firmware a reading."""
        with self._lock:
            self._sent.setdefault(device, []).append(text)

    def took(self, message: Message) -> None:
        """The callback for fresh messages, given to `espseal.paho.attach`."""
        with self._lock:
            self._newest = message
            self._arrived.setdefault(message.device or "?", []).append(message.text or "")
        self.arrivals.put(message)

    @property
    def newest(self) -> Message | None:
        """The fresh message that arrived last."""
        with self._lock:
            return self._newest

    def rejected(self, message: Message) -> None:
        """The callback for all other messages."""
        if message.kind == "hello":
            with self._lock:
                self._hellos += 1

    @property
    def rejected_hellos(self) -> int:
        """How many hellos of sealed devices were not fresh."""
        with self._lock:
            return self._hellos

    @property
    def sent(self) -> dict[str, list[str]]:
        """Device -> readings given so far."""
        with self._lock:
            return {device: list(texts) for device, texts in self._sent.items()}

    @property
    def arrived(self) -> dict[str, list[str]]:
        """Device -> readings handed over so far."""
        with self._lock:
            return {device: list(texts) for device, texts in self._arrived.items()}


def wait_until(condition: Callable[[], bool], patience: float) -> bool:
    """Waits for a condition that another thread brings about; whether it came in time."""
    deadline = monotonic() + patience
    while not condition():
        if monotonic() > deadline:
            return False
        sleep(_LOOK_AGAIN)
    return True
