"""``wifi``: a station that gets an IP address a moment after it was configured.

While the access point is out of reach (`Node.wifi_down`) sockets stall without a word, as they
do in the air. ``STA_DISCONNECTED`` comes once, where the chip repeats it with every attempt.
"""

from typing import TYPE_CHECKING

from espseal.simulator.lua import Arguments, LuaError, Value

if TYPE_CHECKING:
    from espseal.simulator.machine import Machine

_EVENTS = ("STA_CONNECTED", "STA_DISCONNECTED", "STA_AUTHMODE_CHANGE", "STA_GOT_IP")
_BEACON_TIMEOUT, _NO_AP_FOUND = 200, 201


def define(machine: "Machine") -> None:
    """Defines ``wifi``."""
    station = _Station(machine)
    machine.on_wifi = station.in_reach
    machine.lua.define(
        "wifi",
        {
            "NULLMODE": 0,
            "STATION": 1,
            "SOFTAP": 2,
            "STATIONAP": 3,
            "setmode": station.set_mode,
            "sta": {"config": station.configure, "getip": station.ip},
            "eventmon": {
                "register": station.register,
                "unregister": station.unregister,
                **{name: number for number, name in enumerate(_EVENTS)},
            },
        },
    )


class _Station:
    def __init__(self, machine: "Machine") -> None:
        self._machine = machine
        self._mode = 0
        self._ssid: bytes | None = None
        self._connected = False
        self._callbacks: dict[int, Value] = {}

    def set_mode(self, *values: Value) -> int:
        arguments = Arguments("setmode", values)
        mode = arguments.integer(1)
        if mode not in range(4):
            raise arguments.bad(1, "Invalid mode")
        self._mode = mode
        return mode

    def configure(self, *values: Value) -> bool:
        if self._mode not in (1, 3):
            raise LuaError("wifi mode is not station")
        config = Arguments("config", values).value(1)
        ssid, password = config[b"ssid"], config[b"pwd"] or b""
        if not isinstance(ssid, bytes) or len(ssid) > 32:
            raise LuaError("ssid: 0-32 bytes")
        if len(password) not in (0, *range(8, 65)):
            raise LuaError("pwd: 0 or 8-64 bytes")
        self._ssid = ssid
        if config[b"auto"] is not False:
            self._try_soon()
        return True

    def ip(self, *_: Value) -> tuple[Value, ...]:
        if not self._connected:
            return (None,)
        return _ADDRESS["IP"], _ADDRESS["netmask"], _ADDRESS["gateway"]

    def register(self, *values: Value) -> None:
        arguments = Arguments("register", values)
        event = arguments.integer(1)
        if event not in range(len(_EVENTS)):
            raise arguments.bad(1, "Invalid event")
        self._callbacks[event] = arguments.function(2)

    def unregister(self, *values: Value) -> None:
        self._callbacks.pop(Arguments("unregister", values).integer(1), None)

    def in_reach(self, reachable: bool) -> None:
        """The access point appears or disappears."""
        if reachable and self._ssid is not None:
            self._try_soon()
        elif self._connected:
            self._connected = False
            for stall in self._machine.on_stall:
                stall()
            self._emit("STA_DISCONNECTED", {"SSID": self._ssid, "reason": _BEACON_TIMEOUT})

    def _try_soon(self) -> None:
        self._machine.later(self._machine.board.wifi_delay, self._got_ip)

    def _got_ip(self) -> None:
        if self._connected:
            return
        if not self._machine.board.wifi_in_reach:
            self._emit("STA_DISCONNECTED", {"SSID": self._ssid, "reason": _NO_AP_FOUND})
            return
        self._connected = True
        self._machine.generator.radio_up = True
        self._emit("STA_GOT_IP", _ADDRESS)

    def _emit(self, event: str, info: dict[str, Value]) -> None:
        table = self._machine.lua.table(info)
        self._machine.call(self._callbacks.get(_EVENTS.index(event)), table)


_ADDRESS: dict[str, Value] = {
    "IP": b"192.168.4.2",
    "netmask": b"255.255.255.0",
    "gateway": b"192.168.4.1",
}
