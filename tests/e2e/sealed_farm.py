"""A farm with sealed nodes on it, the classic ones of `farm` beside them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import espseal
from broker import Mosquitto
from espseal.simulator import LuaSource, Node
from farm import SENSOR, Counter, Farm

_OBEYS = "obeys "
_RECORD = ("espseal.1", "espseal.2")


class SealedFarm(Farm):
    """A keyring of a group and a fleet. Its classic nodes come first, then its sealed ones.

    Arguments:
        folder: where the keyring goes.
        broker: what the nodes connect to.
        sealed: how many nodes are sealed.
        classic: how many are classic.
        migrating: the numbers of classic ones that are in the fleet, too.
        fleet: further fields of the fleet.
    """

    def __init__(
        self,
        folder: Path,
        broker: Mosquitto,
        sealed: int = 1,
        *,
        classic: int = 0,
        migrating: Sequence[int] = (),
        fleet: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(folder, broker, classic)
        self.file = espseal.KeyringFile.open(folder / "keyring.toml")
        self.file.add_fleet("farm", **(fleet or {}))
        for number in [*migrating, *range(classic, classic + sealed)]:
            self.file.add_sealed(name(number), fleet="farm")
        self.reload()

    def reload(self) -> espseal.Keyring:
        """Reads the keyring again, as someone has changed it."""
        self.keyring = espseal.Keyring.load(self.file.path)
        return self.keyring

    def provision(self, number: int = 0) -> espseal.Provision:
        """What a node is given."""
        return self.keyring.provision(name(number))

    def sealed_node(
        self,
        number: int = 0,
        *,
        sensor: Counter,
        lua: Literal["5.1", "5.3"] = "5.3",
        **changes: Any,  # noqa: ANN401 - any field's value
    ) -> Node:
        """A node to switch on. It prints the commands that it obeys (`obeyed`)."""
        given = self.provision(number)
        config = {
            "mqtt_host": self.broker.host,
            "mqtt_port": self.broker.port,
            "address": given.address,
            "device_key": given.device_key.expose().hex(),
            "epoch": given.epoch,
            "beacon_topic": given.beacon_topic,
            "sensor": SENSOR,
            "on_command": LuaSource(f'function(data) print("{_OBEYS}" .. data) end'),
            "interval": 50,
            "outbox": 2000,
            "session_settle": 50,
            "hello_min": 300,
            "hello_max": 1000,
            "reconnect_min": 50,
            "reconnect_max": 200,
        }
        return Node(
            chip_id=1000 + number,
            config={**config, **changes},
            lua=lua,
            startup="main_sealed.lua",
            sensor=sensor,
        )


def name(number: int) -> str:
    """Of a node, in the keyring."""
    return f"node {number}"


def obeyed(node: Node) -> list[str]:
    """The commands on which a node acted, over all its boots."""
    return [line.removeprefix(_OBEYS) for line in node.lines if line.startswith(_OBEYS)]


def wipe(node: Node) -> None:
    """Takes its power away and gives it back, and flash and RTC memory know no counter."""
    node.reflash(dict.fromkeys(_RECORD))
