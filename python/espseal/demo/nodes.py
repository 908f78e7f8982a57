"""Three simulated nodes that run the Lua firmware, and the sensors that they read."""

import threading
import tomllib
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from espseal.demo import scene
from espseal.demo.ledger import Ledger
from espseal.simulator import LuaSource, Node

_INTERVALS: Final = (600, 650, 700)
"""Of each node in ms; not the same, lest they all speak at once."""

_NOTHING: Final = 0
# What a person would write in config.lua for a thermometer that gives tenths of a degree.
_SENSOR: Final = LuaSource(
    f"function() local t = adc.read(0) if t == {_NOTHING} then return nil end"
    ' return ("%d.%d C"):format((t - t % 10) / 10, t % 10) end'
)


class Nodes:
    """The nodes, switched on for as long as the ``with`` block lasts.

    Arguments:
        keyring: path of the keyring; its keys go into each node's config.lua.
        ledger: told of each reading.
        host, port: the broker.
    """

    def __init__(self, keyring: Path, ledger: Ledger, host: str, port: int) -> None:
        group = tomllib.loads(keyring.read_text())["classic_group"][0]
        self._sensors = [
            _Sensor(name, 180 + 20 * place, ledger) for place, name in enumerate(scene.NODES)
        ]
        self._nodes = [
            Node(
                chip_id=int(scene.NODES[sensor.name]),
                config=_config(sensor.name, interval, group, host, port),
                sensor=sensor.read,
            )
            for sensor, interval in zip(self._sensors, _INTERVALS, strict=True)
        ]
        self._on = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            for node in self._nodes:
                starting.enter_context(node)
            self._on = starting.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._on.close()

    def wait_for_sessions(self) -> None:
        """Waits until every node is online and has a session ID."""
        for node in self._nodes:
            node.wait_for(lambda line: line == "session ID received")

    def send(self, each: int) -> None:
        """Lets every node have so many readings more; then its sensor has nothing again."""
        for sensor in self._sensors:
            sensor.grant(each)


class _Sensor:
    """A thermometer that grows warmer, so that no reading can pass for another."""

    def __init__(self, name: str, tenths: int, ledger: Ledger) -> None:
        self.name = name
        self._tenths = tenths
        self._ledger = ledger
        self._granted = 0
        self._lock = threading.Lock()

    def grant(self, readings: int) -> None:
        with self._lock:
            self._granted += readings

    def read(self) -> int:
        with self._lock:
            if self._granted == 0:
                return _NOTHING
            self._granted -= 1
            self._tenths += 1
            self._ledger.gave(self.name, f"{self._tenths // 10}.{self._tenths % 10} C")
            return self._tenths


def _config(
    name: str, interval: int, group: dict[str, Any], host: str, port: int
) -> dict[str, Any]:
    return {
        "mqtt_host": host,
        "mqtt_port": port,
        "topic": scene.TOPIC.replace("+", name),
        "session_topic": group["session_topic"],
        "keys": group["keys"],
        "sensor": _SENSOR,
        "interval": interval,
    }
