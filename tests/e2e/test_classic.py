"""The main job end to end: Lua nodes -> Mosquitto -> the Paho callback."""

from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from threading import Event
from typing import Literal

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

import espseal
from broker import Mosquitto
from farm import SESSION, Counter, Farm, Reader
from support import PROTOCOLS, Probe, wait_for

Lua = Literal["5.1", "5.3"]
# NodeMCU sends a packet again that is not acknowledged when the next one comes in, and after a
# second, and main.lua does after an outage: the same frame, which is fresh once.
RESENT = {"duplicate"}


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_every_reading_arrives_once(
    lua: Lua, qos: int, protocol: MQTTProtocolVersion, broker: Mosquitto, tmp_path: Path
) -> None:
    farm = Farm(tmp_path, broker, layout="raw" if qos == 2 else "hex")
    with (
        Reader(broker, farm.keyring, protocol=protocol, qos=qos) as reader,
        farm.node(sensor=Counter(10), lua=lua, qos=qos) as node,
    ):
        reader.wait_for_values(10)
    assert reader.values() == list(range(10))
    assert reader.verdicts <= RESENT
    assert (node.panics, node.draws_before_ip, node.stats["dropped"]) == (0, 0, 0)


def test_twenty_nodes_on_one_session_topic(broker: Mosquitto, tmp_path: Path) -> None:
    farm = Farm(tmp_path, broker, 20)
    with Reader(broker, farm.keyring) as reader, ExitStack() as nodes:
        for number in range(20):
            lua: Lua = "5.1" if number % 2 else "5.3"
            node = farm.node(number, sensor=Counter(5), lua=lua, interval=200)
            nodes.enter_context(node)
        for number in range(20):
            reader.wait_for_values(5, number)
    assert all(reader.values(number) == list(range(5)) for number in range(20))
    assert reader.verdicts <= RESENT


def test_retained_readings(broker: Mosquitto, probe: Probe, tmp_path: Path) -> None:
    farm, sensor, store = Farm(tmp_path, broker), Counter(3), espseal.Store.memory()
    with farm.node(sensor=sensor, retain=1) as node:
        with Reader(broker, farm.keyring, store=store) as reader:
            reader.wait_for_values(3)
            # While nobody reads, one more: it arrives retained, and is fresh all the same.
            unsubscribed = Event()
            reader.client.on_unsubscribe = lambda *_: unsubscribed.set()
            reader.client.unsubscribe("farm/+")
            assert unsubscribed.wait(60)
            sensor.limit = 4
            wait_for(lambda: len(set(probe.on("farm/0"))) == 4, "the frame")
            reader.client.subscribe("farm/+", 1)
            reader.wait_for_values(4)
        assert reader.values() == [0, 1, 2, 3]
        assert reader.fresh[-1].retained
        # Restarted, the receiver gets that frame again, and knows it.
        with Reader(broker, farm.keyring, store=store) as reader:
            wait_for(lambda: reader.rejected, "the retained frame")
            wait_for(lambda: node.stats["sessions"] == 2, "the new session ID")
            sensor.limit = 6
            reader.wait_for_values(2)
    assert reader.values() == [4, 5]
    assert reader.rejected[0].retained
    assert reader.verdicts == {"duplicate"}


@pytest.mark.parametrize("qos", [1, 2])
@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)
def test_a_broker_restart_loses_nothing(
    qos: int, protocol: MQTTProtocolVersion, broker: Mosquitto, tmp_path: Path
) -> None:
    farm, sensor = Farm(tmp_path, broker), Counter(1024)
    with (
        Reader(broker, farm.keyring, protocol=protocol, qos=qos) as reader,
        farm.node(sensor=sensor, qos=qos, interval=20) as node,
    ):
        reader.wait_for_values(10)
        broker.stop()
        taken = sensor.taken
        wait_for(lambda: sensor.taken > taken + 10, "readings during the outage")
        broker.start()
        reader.wait_for_values(taken + 20)
        sensor.limit = sensor.taken
        reader.wait_for_values(sensor.taken)
        assert node.stats["disconnects"] == 1
    assert reader.values() == list(range(sensor.taken))
    assert reader.verdicts <= RESENT


def test_at_qos_0_an_outage_loses_and_is_counted(broker: Mosquitto, tmp_path: Path) -> None:
    farm, sensor = Farm(tmp_path, broker), Counter(1024)
    with (
        Reader(broker, farm.keyring, qos=0) as reader,
        farm.node(sensor=sensor, qos=0, interval=20) as node,
    ):
        reader.wait_for_values(10)
        arrived = len(reader.values())
        broker.stop()
        taken = sensor.taken
        wait_for(lambda: sensor.taken > taken + 10, "readings during the outage")
        broker.start()
        wait_for(reader.client.is_connected, "the reader's connection")
        wait_for(lambda: node.stats["connects"] == 2, "the node's connection")
        wait_for(lambda: reader.values()[-1] >= taken, "a reading after the outage")
        back = reader.values()[-1]
        reader.wait_for_values(len(reader.values()) + 10)
        sensor.limit = sensor.taken
        wait_for(lambda: reader.values()[-1] == sensor.taken - 1, "the last reading")
        stats = node.stats
    values = reader.values()
    lost = set(range(sensor.taken)) - set(values)
    assert values == sorted(set(values))
    assert all(arrived <= each < back for each in lost)
    assert (stats["readings"], stats["dropped"]) == (sensor.taken, 0)
    assert stats["published"] - len(values) == len(lost)
    assert reader.rejected == []


def test_floods_while_a_node_works(broker: Mosquitto, probe: Probe, tmp_path: Path) -> None:
    farm, sensor = Farm(tmp_path, broker), Counter(1024)
    with Reader(broker, farm.keyring) as reader, farm.node(sensor=sensor, interval=20):
        reader.wait_for_values(5)
        frames = cycle(probe.on("farm/0")[:5])
        while len(reader.values()) < 40 or len(reader.rejected) < 500:
            frame = next(frames)
            tampered = frame[:-1] + (b"1" if frame.endswith(b"0") else b"0")
            for payload in (frame, tampered, frame[:-1], b"", b"\xf5" * 100):
                probe.send("farm/0", payload, qos=0)
                probe.send("farm/another", payload, qos=0)
        sensor.limit = sensor.taken
        reader.wait_for_values(sensor.taken)
    assert reader.values() == list(range(sensor.taken))
    assert reader.verdicts == {"duplicate", "forged", "malformed"}


def test_a_forged_session_id(broker: Mosquitto, probe: Probe, tmp_path: Path) -> None:
    farm, sensor = Farm(tmp_path, broker), Counter(1024)
    with (
        Reader(broker, farm.keyring) as reader,
        # The authority's answer comes at once; no node takes an ID that has not stood so long.
        farm.node(sensor=sensor, interval=20, settle=3000),
    ):
        reader.wait_for_values(5)
        true, arrived = probe.on(SESSION)[-1], len(reader.values())
        for forged in (b"0" * 32, b"no session ID", b""):
            probe.send(SESSION, forged, retain=True)
            wait_for(lambda: probe.on(SESSION)[-1] == true, "the true session ID, again")
        reader.wait_for_values(arrived + 20)
        sensor.limit = sensor.taken
        reader.wait_for_values(sensor.taken)
    assert reader.values() == list(range(sensor.taken))
    assert reader.verdicts <= RESENT
    assert reader.receiver.false_sessions == 3
    with Probe(broker) as late:
        wait_for(lambda: late.on(SESSION), "the retained session ID")
        assert late.on(SESSION) == [true]
