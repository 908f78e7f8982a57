"""``tmr``: timer objects and the uptime. Intervals are 1 to 6870947 ms."""

import time
from typing import TYPE_CHECKING

from espseal.simulator.loop import Timer
from espseal.simulator.lua import Arguments, Value

if TYPE_CHECKING:
    from espseal.simulator.machine import Machine

_INTERVAL_MAX = 6_870_947
_SINGLE, _AUTO, _SEMI = 0, 1, 2


def define(machine: "Machine") -> None:
    """Defines ``tmr``."""
    machine.lua.define(
        "tmr",
        {
            "ALARM_SINGLE": _SINGLE,
            "ALARM_AUTO": _AUTO,
            "ALARM_SEMI": _SEMI,
            "create": lambda *_: _Alarm(machine).methods,
            "now": lambda *_: int(machine.seconds() * 1e6) % 2**31,
            "time": lambda *_: int(machine.seconds()) % 2**31,
            "delay": lambda *values: time.sleep(Arguments("delay", values).integer(1) / 1e6),
        },
    )


class _Alarm:
    def __init__(self, machine: "Machine") -> None:
        self._machine = machine
        self._interval = 0
        self._mode = _SINGLE
        self._callback: Value = None
        self._timer: Timer | None = None
        self.methods = machine.lua.object(
            {
                "register": self._register,
                "alarm": self._alarm,
                "start": self._start,
                "stop": self._stop,
                "unregister": self._unregister,
                "interval": self._set_interval,
                "state": self._state,
            }
        )

    def _register(self, *values: Value) -> None:
        arguments = Arguments("register", values)
        interval = _checked_interval(arguments)
        mode = arguments.integer(2)
        if mode not in (_SINGLE, _AUTO, _SEMI):
            raise arguments.bad(2, "Invalid mode")
        callback = arguments.function(3)
        self._stop()
        self._interval, self._mode, self._callback = interval, mode, callback

    def _alarm(self, *values: Value) -> bool:
        self._register(*values)
        return self._start()

    def _start(self, *_: Value) -> bool:
        if self._callback is None or self._timer is not None:
            return False
        self._arm(self._machine.loop.now())
        return True

    def _arm(self, since: float) -> None:
        due = since + self._interval / 1000
        wait = max(0.0, due - self._machine.loop.now())
        self._timer = self._machine.later(wait, lambda: self._fire(due))

    def _fire(self, due: float) -> None:
        callback = self._callback
        self._timer = None
        if self._mode == _AUTO:
            self._arm(due)
        elif self._mode == _SINGLE:
            self._callback = None
        self._machine.call(callback, self.methods)

    def _stop(self, *_: Value) -> bool:
        if self._timer is None:
            return False
        self._timer.cancel()
        self._timer = None
        return True

    def _unregister(self, *_: Value) -> None:
        self._stop()
        self._callback = None

    def _set_interval(self, *values: Value) -> None:
        self._interval = _checked_interval(Arguments("interval", values))
        if self._stop():
            self._start()

    def _state(self, *_: Value) -> tuple[Value, ...]:
        if self._callback is None:
            return ()
        return self._timer is not None, self._mode


def _checked_interval(arguments: Arguments) -> int:
    interval = arguments.integer(1)
    if not 1 <= interval <= _INTERVAL_MAX:
        raise arguments.bad(1, f"Range: 1-{_INTERVAL_MAX}")
    return interval
