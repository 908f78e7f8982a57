"""The simulated node that has a key of its own, takes commands, and is ill-treated."""

from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from espseal import Keyring, Verdict
from espseal.demo import scene
from espseal.demo.ledger import Ledger
from espseal.demo.sensor import SENSOR, Sensor
from espseal.simulator import LuaSource, Node

_RECORD: Final = ("espseal.1", "espseal.2")
"""The files in which the firmware keeps its key, its epoch and its counter."""

_INTERVAL: Final = 10
_HAS_HEARD: Final = "obeys "
_REFUSALS: Final = tuple(verdict for verdict in Verdict if verdict != Verdict.FRESH)


class SealedNode:
    """The node, switched on for as long as the ``with`` block lasts.

    Arguments:
        keyring: path of the keyring, which provisions it.
        ledger: told of each reading.
        host, port: the broker.
    """

    def __init__(self, keyring: Path, ledger: Ledger, host: str, port: int) -> None:
        provision = Keyring.load(keyring).provision(scene.SEALED)
        self._first_key = provision.device_key.expose()
        self._boots = 0
        self._sensor = Sensor(scene.SEALED, 300, ledger)
        self.hello_topic, self.down_topic = provision.hello_topic, provision.down_topic
        self.up_topic = provision.up_topic
        self._node = Node(
            chip_id=4711,
            config={
                "mqtt_host": host,
                "mqtt_port": port,
                "address": provision.address,
                "device_key": self._first_key.hex(),
                "epoch": provision.epoch,
                "beacon_topic": provision.beacon_topic,
                "sensor": SENSOR,
                "on_command": LuaSource(f'function(data) print("{_HAS_HEARD}" .. data) end'),
                # What is slower in a house would only lengthen the story.
                "interval": _INTERVAL,
                "outbox": 1000,
                "session_settle": 200,
                "ack_timeout": 20000,
            },
            startup="main_sealed.lua",
            sensor=self._sensor.read,
        )

    def __enter__(self) -> Self:
        self._node.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._node.close()

    def send(self, readings: int, *, counts: bool = True) -> None:
        """Lets it have so many readings more; one that does not count is not meant to arrive."""
        self._sensor.grant(readings, counts=counts)

    @property
    def obeyed(self) -> list[str]:
        """The commands on which it acted, over all its boots."""
        lines = self._node.lines
        return [line.removeprefix(_HAS_HEARD) for line in lines if line.startswith(_HAS_HEARD)]

    @property
    def refused(self) -> Counter[str]:
        """Its verdicts on what it refused, since its last boot."""
        stats: dict[str, Any] = self._node.stats
        return Counter({str(each): int(stats.get(each, 0)) for each in _REFUSALS})

    @property
    def is_welcomed(self) -> bool:
        """Whether the host has welcomed it since its last boot."""
        return self.welcomes > 0

    @property
    def welcomes(self) -> int:
        """How often the host has welcomed it since its last boot."""
        booted = self._node.boots > self._boots
        return int(self._node.stats.get("welcomes", 0)) if booted else 0

    @property
    def forgot_its_first_key(self) -> bool:
        """Whether nothing in its flash holds the key of epoch 0 any more."""
        key, flash = self._first_key, b"".join(self._node.flash.values())
        return key not in flash and key.hex().encode() not in flash

    def reboot(self) -> None:
        """Takes its power away and gives it back."""
        self._boots = self._node.boots
        self._node.power_cycle()

    def wipe(self) -> None:
        """The same, and its flash has forgotten every counter."""
        self._boots = self._node.boots
        self._node.reflash(dict.fromkeys(_RECORD))
