"""Three simulated nodes that run the classic Lua firmware."""

import tomllib
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from espseal.demo import scene
from espseal.demo.ledger import Ledger
from espseal.demo.sensor import SENSOR, Sensor
from espseal.simulator import Node

_INTERVALS: Final = (600, 650, 700)
"""Of each node in ms; not the same, lest they all speak at once."""


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
            Sensor(name, 180 + 20 * place, ledger) for place, name in enumerate(scene.NODES)
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


def _config(
    name: str, interval: int, group: dict[str, Any], host: str, port: int
) -> dict[str, Any]:
    return {
        "mqtt_host": host,
        "mqtt_port": port,
        "topic": scene.TOPIC.replace("+", name),
        "session_topic": group["session_topic"],
        "keys": group["keys"],
        "sensor": SENSOR,
        "interval": interval,
    }
