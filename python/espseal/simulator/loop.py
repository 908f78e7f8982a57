"""One thread's events: calls, timers and sockets. Callbacks never overlap, as on the chip."""

import contextlib
import heapq
import itertools
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable

Callback = Callable[[], None]


class Timer:
    """A call that is due; `cancel` it as often as you like."""

    def __init__(self, due: float, callback: Callback) -> None:
        self.due = due
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        self.callback = None


class Loop:
    """Runs callbacks in the thread that calls `run`.

    Only `post` may be called from other threads. `close` frees the sockets that the loop owns.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._waker, self._woken = socket.socketpair()
        self._waker.setblocking(False)
        self._woken.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, self._drain)
        self._ready: deque[Callback] = deque()
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()

    @staticmethod
    def now() -> float:
        """The loop's clock, in seconds."""
        return time.monotonic()

    def post(self, callback: Callback) -> None:
        """Has a callback run in the loop's thread, soon."""
        self._ready.append(callback)
        # A full buffer wakes the loop just as well.
        with contextlib.suppress(BlockingIOError):
            self._waker.send(b"\0")

    def soon(self, callback: Callback) -> None:
        """Has a callback run after the present one. Only from the loop's thread."""
        self._ready.append(callback)

    def later(self, seconds: float, callback: Callback) -> Timer:
        """Has a callback run after a time in seconds. Only from the loop's thread."""
        timer = Timer(self.now() + seconds, callback)
        heapq.heappush(self._timers, (timer.due, next(self._order), timer))
        return timer

    def watch(self, sock: socket.socket, events: int, callback: Callable[[int], None]) -> None:
        """Calls back with the selector events of a socket, from now on; events 0 ends it."""
        known = sock in self._selector.get_map()
        if events and known:
            self._selector.modify(sock, events, callback)
        elif events:
            self._selector.register(sock, events, callback)
        elif known:
            self._selector.unregister(sock)

    def run(self, done: Callable[[], bool]) -> None:
        """Runs until ``done()``, which is asked after every callback."""
        while not done():
            for key, events in self._selector.select(self._timeout()):
                if done():
                    return
                # An earlier callback of this round may have closed the socket.
                if key.fileobj in self._selector.get_map():
                    key.data(events)
            for _ in range(len(self._ready)):
                if done():
                    return
                self._ready.popleft()()
            self._run_timers(done)

    def close(self) -> None:
        """Ends the loop for good."""
        self._selector.close()
        self._waker.close()
        self._woken.close()

    def _timeout(self) -> float | None:
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        if self._ready:
            return 0
        return max(0.0, self._timers[0][0] - self.now()) if self._timers else None

    def _run_timers(self, done: Callable[[], bool]) -> None:
        now = self.now()
        while self._timers and self._timers[0][0] <= now and not done():
            timer = heapq.heappop(self._timers)[2]
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback()

    def _drain(self, _events: int) -> None:
        while True:
            try:
                self._woken.recv(4096)
            except BlockingIOError:
                return
