"""A farm of simulated nodes and the application that reads them."""

import os
from pathlib import Path
from typing import Literal, Self

from paho.mqtt.enums import MQTTProtocolVersion

import espseal
import espseal.paho
from broker import Mosquitto
from espseal.simulator import LuaSource, Node
from support import connect, listen, new_client, stop, wait_for

SESSION = "farm/session"
# What the sensor reads while there is nothing to say.
_SILENCE = 1024
SENSOR = LuaSource(f"function() local v = adc.read(0) if v < {_SILENCE} then return v end end")


class Counter:
    """A sensor: reads 0, 1, 2 and so on, as many values as it may, at most 1024."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0

    def __call__(self) -> int:
        if self.taken >= self.limit:
            return _SILENCE
        self.taken += 1
        return self.taken - 1


class Farm:
    """A keyring of one group, and nodes with its keys.

    Arguments:
        folder: where the keyring goes.
        broker: what the nodes connect to.
        size: how many nodes the keyring lists; their chip IDs count from 1000.
        layout: of the frames.
    """

    def __init__(
        self,
        folder: Path,
        broker: Mosquitto,
        size: int = 1,
        *,
        layout: Literal["hex", "raw"] = "hex",
    ) -> None:
        self.broker = broker
        self._layout = layout
        self._keys = {
            "iv_key": os.urandom(16),
            "data_key": os.urandom(16),
            "static_iv": os.urandom(16),
            "passphrase": os.urandom(32),
        }
        file = espseal.KeyringFile.create(folder / "keyring.toml")
        keys = espseal.ClassicKeys(**self._keys)
        file.add_group("farm", topic="farm/+", session_topic=SESSION, layout=layout, keys=keys)
        for number in range(size):
            file.add_device(f"node {number}", group="farm", node_id=str(1000 + number))
        self.keyring = espseal.Keyring.load(folder / "keyring.toml")

    def node(
        self,
        number: int = 0,
        *,
        sensor: Counter,
        lua: Literal["5.1", "5.3"] = "5.3",
        qos: int = 1,
        retain: int = 0,
        interval: int = 50,
        settle: int = 50,
    ) -> Node:
        """A node to switch on; ``interval`` and ``settle`` in ms."""
        config = {
            "mqtt_host": self.broker.host,
            "mqtt_port": self.broker.port,
            "topic": f"farm/{number}",
            "session_topic": SESSION,
            "keys": self._keys,
            "layout": self._layout,
            "qos": qos,
            "retain": retain,
            "sensor": SENSOR,
            "interval": interval,
            "outbox": 2000,
            "session_settle": settle,
            "reconnect_min": 50,
            "reconnect_max": 200,
        }
        return Node(chip_id=1000 + number, config=config, lua=lua, sensor=sensor)


class Reader:
    """The application: a Paho client that espseal is attached to, its session kept by the broker.

    Arguments:
        broker: what it connects to.
        keyring: whom it believes.
        name: its client ID; one broker has one client of a name.
        topic: where the readings come from; None is all that the keyring names.
        store: what it learnt, if it was there before.
        authority: whether it publishes session IDs.
        commands: whether it has a sender, too.
        protocol: MQTT 3.1.1 or 5.
        qos: of its subscription.
    """

    def __init__(
        self,
        broker: Mosquitto,
        keyring: espseal.Keyring,
        *,
        name: str = "reader",
        topic: str | None = "farm/+",
        authority: bool = True,
        commands: bool = False,
        store: espseal.Store | None = None,
        protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv311,
        qos: int = 1,
    ) -> None:
        self.fresh: list[espseal.Message] = []
        self.rejected: list[espseal.Message] = []
        store = store or espseal.Store.memory()
        self.receiver = espseal.Receiver(keyring, store, authority=authority)
        self.client = new_client(protocol, client_id=name, persistent=True)
        self.attachment = espseal.paho.attach(
            self.client,
            self.receiver,
            topic,
            on_message=self.fresh.append,
            on_rejected=self.rejected.append,
            sender=espseal.Sender(keyring, store) if commands else None,
            qos=qos,
        )
        self._broker = broker

    def values(self, number: int = 0) -> list[int]:
        """The fresh readings of a node, in the order of their arrival."""
        messages = [each for each in self.fresh if each.device == f"node {number}"]
        return [int(each.data or b"") for each in messages]

    def wait_for_values(self, count: int, number: int = 0) -> None:
        """Waits until as many different readings of a node have arrived."""
        wait_for(lambda: len(set(self.values(number))) >= count, f"{count} readings")

    @property
    def verdicts(self) -> set[str]:
        """The verdicts on what was rejected."""
        return {each.verdict.value for each in self.rejected}

    def start(self) -> None:
        """Connects, and returns once it would hear a node."""
        connect(self.client, self._broker)
        listen(self.client)

    def stop(self) -> None:
        """Disconnects."""
        stop(self.client)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
