"""One TCP connection the way the ESP8266's SDK offers it: callbacks, and one packet at a time."""

import errno
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass

from espseal.simulator.loop import Loop


@dataclass(frozen=True)
class Events:
    """Called in the loop's thread, never from within a call of the `Connection`.

    ``failed`` covers a connection that did not come about and one that was reset;
    ``disconnected`` an orderly end from either side.
    """

    connected: Callable[[], None]
    received: Callable[[bytes], None]
    sent: Callable[[], None]
    disconnected: Callable[[], None]
    failed: Callable[[], None]


class Connection:
    """Connects at once; `abandon` or `disconnect` it."""

    def __init__(self, loop: Loop, address: tuple[str, int], events: Events) -> None:
        self._loop = loop
        self._events = events
        self._out = b""
        self._open = False
        self._stalled = False
        self._socket: socket.socket | None = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        result = self._socket.connect_ex(address)
        if result in (0, errno.EINPROGRESS):
            loop.watch(self._socket, selectors.EVENT_WRITE, self._on_connect)
        else:
            self._finish_soon(events.failed)

    def send(self, data: bytes) -> bool:
        """Sends a packet; False if the last one is still on its way, or nothing is connected."""
        if self._socket is None or not self._open or self._out:
            return False
        self._out = data
        self._watch()
        return True

    def disconnect(self) -> None:
        """Ends the connection after what is being sent; ``disconnected`` follows."""
        if self._socket is None:
            return
        if self._out and not self._stalled:
            self._write()
        if self._socket is not None:
            self._finish_soon(self._events.disconnected)

    def abandon(self) -> None:
        """Frees the socket without a word: the radio is gone, or the power."""
        if self._socket is not None:
            self._loop.watch(self._socket, 0, self._on_event)
            self._socket.close()
            self._socket = None

    def stall(self) -> None:
        """Hears and says nothing more, as with the access point out of reach."""
        if self._socket is not None:
            self._loop.watch(self._socket, 0, self._on_event)
            self._stalled = True

    def _on_connect(self, _events: int) -> None:
        if self._socket is None:
            return
        if self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._finish_soon(self._events.failed)
            return
        self._open = True
        self._watch()
        self._events.connected()

    def _on_event(self, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._write()
            if self._socket is not None and not self._out:
                self._watch()
                self._events.sent()
        if events & selectors.EVENT_READ:
            self._read()

    def _write(self) -> None:
        if self._socket is None:
            return
        try:
            self._out = self._out[self._socket.send(self._out) :]
        except BlockingIOError:
            return
        except OSError:
            self._finish_soon(self._events.failed)

    def _read(self) -> None:
        if self._socket is None:
            return
        try:
            data = self._socket.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            self._finish_soon(self._events.failed)
            return
        if data:
            self._events.received(data)
        else:
            self._finish_soon(self._events.disconnected)

    def _watch(self) -> None:
        if self._socket is not None and not self._stalled:
            write = selectors.EVENT_WRITE if self._out else 0
            self._loop.watch(self._socket, selectors.EVENT_READ | write, self._on_event)

    def _finish_soon(self, event: Callable[[], None]) -> None:
        self.abandon()
        self._loop.soon(event)
