"""Sealed Lua nodes -> Mosquitto -> Paho and aiomqtt, and back."""

import asyncio
import shutil
import subprocess
import sys
from collections import Counter as Multiset
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import aiomqtt
import pytest
from paho.mqtt.enums import MQTTProtocolVersion

import espseal
import espseal.aiomqtt
from broker import Mosquitto
from espseal.simulator import Node
from farm import Counter, Reader
from sealed_farm import SealedFarm, name, obeyed, wipe
from support import PROTOCOLS, Probe, until, wait_for

Lua = Literal["5.1", "5.3"]
LONG = 60.0
MANY = 10_000
# A node that is switched off amid its readings leaves one that it sends again.
RESENT = {"duplicate"}


@pytest.fixture(params=PROTOCOLS, ids=lambda protocol: protocol.name)
def protocol(request: pytest.FixtureRequest) -> MQTTProtocolVersion:
    parameter: MQTTProtocolVersion = request.param
    return parameter


@pytest.fixture
def farm(tmp_path: Path, broker: Mosquitto) -> SealedFarm:
    return SealedFarm(tmp_path, broker)


def host(
    broker: Mosquitto,
    keyring: espseal.Keyring,
    store: espseal.Store | None = None,
    *,
    client_id: str = "reader",
    authority: bool = True,
    protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv311,
) -> Reader:
    """One that reads all that its keyring names, and sends commands."""
    return Reader(
        broker,
        keyring,
        name=client_id,
        topic=None,
        store=store,
        authority=authority,
        commands=True,
        protocol=protocol,
    )


def send(reader: Reader, command: str, number: int = 0) -> None:
    """Sends a command, and returns when its device has acknowledged it."""
    sender = reader.attachment.sender
    sender.send(name(number), command, timeout=LONG, patience=LONG).result(LONG)


def ratchet(reader: Reader) -> None:
    """The same for another key."""
    sender = reader.attachment.sender
    sender.ratchet(name(0), timeout=LONG, patience=LONG).result(LONG)


def more(reader: Reader, sensor: Counter, readings: int = 3, number: int = 0) -> None:
    """Lets a node have more readings, and waits for all of them."""
    sensor.limit += readings
    reader.wait_for_values(sensor.limit, number)


def boots(node: Node, number: int) -> None:
    """Waits until a node runs for so many a time, and the host has welcomed it."""
    wait_for(lambda: node.boots >= number and node.stats.get("welcomes"), "the next boot")


# Readings.


@pytest.mark.parametrize("lua", ["5.1", "5.3"])
def test_every_reading_arrives_once(
    lua: Lua, protocol: MQTTProtocolVersion, broker: Mosquitto, tmp_path: Path
) -> None:
    farm = SealedFarm(tmp_path, broker, 3)
    with host(broker, farm.keyring, protocol=protocol) as reader, ExitStack() as on:
        nodes = [
            on.enter_context(farm.sealed_node(number, sensor=Counter(10), lua=lua))
            for number in range(3)
        ]
        for number in range(3):
            reader.wait_for_values(10, number)
        for node in nodes:
            assert (node.panics, node.draws_before_ip, node.stats["dropped"]) == (0, 0, 0)
    assert [reader.values(number) for number in range(3)] == [list(range(10))] * 3
    assert {(each.kind, each.epoch, each.advanced) for each in reader.fresh} == {("data", 0, True)}
    assert reader.verdicts <= RESENT


@pytest.mark.parametrize("first", ["node", "host"])
def test_first_contact(first: str, broker: Mosquitto, farm: SealedFarm) -> None:
    """Whoever comes first, it is with a beacon and a welcome that they meet."""
    node = farm.sealed_node(sensor=Counter(3))
    reader = host(broker, farm.keyring)
    with ExitStack() as stack:
        if first == "node":
            stack.enter_context(node)
            node.wait_for(lambda line: line == "mqtt: listening to the host")
            stack.enter_context(reader)
        else:
            stack.enter_context(reader)
            stack.enter_context(node)
        reader.wait_for_values(3)
        assert node.stats["welcomes"] >= 1
        send(reader, "on")
        assert obeyed(node) == ["on"]
    assert reader.values() == [0, 1, 2]


def test_a_recorded_node_is_not_met(broker: Mosquitto, probe: Probe, farm: SealedFarm) -> None:
    """What it once sent makes no host that knows nothing of it believe it."""
    given = farm.provision()
    with host(broker, farm.keyring) as reader, farm.sealed_node(sensor=Counter(5)):
        reader.wait_for_values(5)
    recorded = [
        each for each in probe.arrivals if each.topic in (given.up_topic, given.hello_topic)
    ]
    assert len(recorded) >= 7
    with host(broker, farm.keyring, client_id="another") as reader:
        for each in recorded:
            probe.send(each.topic, each.payload)
        wait_for(lambda: len(reader.rejected) >= len(recorded), "the verdicts")
    assert reader.fresh == []
    assert reader.verdicts == {"stale_session", "forged"}


def test_a_broker_restart_loses_and_doubles_nothing(
    protocol: MQTTProtocolVersion, broker: Mosquitto, farm: SealedFarm
) -> None:
    sensor = Counter(MANY)
    with host(broker, farm.keyring, protocol=protocol) as reader, farm.sealed_node(sensor=sensor):
        reader.wait_for_values(5)
        for _ in range(2):
            broker.restart()
            reader.wait_for_values(len(reader.values()) + 10)
        send(reader, "on")
        sensor.limit = sensor.taken
        reader.wait_for_values(sensor.limit)
    assert sorted(reader.values()) == list(range(sensor.limit))
    assert reader.verdicts <= RESENT


def test_a_classic_node_beside_it(broker: Mosquitto, tmp_path: Path) -> None:
    farm = SealedFarm(tmp_path, broker, classic=1)
    with (
        host(broker, farm.keyring) as reader,
        farm.node(0, sensor=Counter(10)),
        farm.sealed_node(1, sensor=Counter(10)) as node,
    ):
        reader.wait_for_values(10, 0)
        reader.wait_for_values(10, 1)
        send(reader, "on", 1)
        assert obeyed(node) == ["on"]
    assert [reader.values(number) for number in (0, 1)] == [list(range(10))] * 2
    formats = {(each.device, each.group, each.address is None) for each in reader.fresh}
    assert formats == {("node 0", "farm", True), ("node 1", None, False)}
    assert reader.verdicts <= RESENT


def test_a_device_that_migrates(broker: Mosquitto, probe: Probe, tmp_path: Path) -> None:
    """Classic until its first sealed frame, and never again; also after a restart of the host."""
    farm = SealedFarm(tmp_path, broker, 0, classic=1, migrating=[0])
    store = espseal.Store.sqlite(tmp_path / "state.sqlite3")
    with host(broker, farm.keyring, store) as reader:
        with farm.node(0, sensor=Counter(3)):
            reader.wait_for_values(3)
        assert reader.fresh[-1].address is None
        old = probe.on("farm/0")
        with farm.sealed_node(0, sensor=Counter(6)):
            reader.wait_for_values(6)
        assert reader.fresh[-1].address == farm.provision().address
    with host(broker, farm.keyring, store) as reader, farm.node(0, sensor=Counter(3)):
        for frame in old:
            probe.send("farm/0", frame)
        wait_for(lambda: len(reader.rejected) >= 3 + len(old), "the verdicts")
    assert reader.fresh == []
    assert "downgraded" in reader.verdicts


# Commands.


def test_commands_are_obeyed_once_and_in_their_order(
    protocol: MQTTProtocolVersion, broker: Mosquitto, probe: Probe, farm: SealedFarm
) -> None:
    with (
        host(broker, farm.keyring, protocol=protocol) as reader,
        farm.sealed_node(sensor=Counter(0)) as node,
    ):
        for number in range(5):
            send(reader, f"on {number}")
        # All that ever came to it once more, the newest first.
        down = farm.provision().down_topic
        recorded = probe.on(down)[::-1]
        before = sum(node.stats[each] for each in ("duplicate", "replayed"))
        for frame in recorded:
            probe.send(down, frame)
        wait_for(
            lambda: (
                sum(node.stats[each] for each in ("duplicate", "replayed"))
                >= before + len(recorded)
            ),
            "the verdicts",
        )
        assert obeyed(node) == [f"on {number}" for number in range(5)]
        assert (node.stats["commands"], node.panics) == (5, 0)


def test_a_lost_acknowledgement(broker: Mosquitto, probe: Probe, farm: SealedFarm) -> None:
    """The very same frame comes again until the host has heard; it is obeyed once."""
    given = farm.provision()
    with host(broker, farm.keyring) as reader, farm.sealed_node(sensor=Counter(1)) as node:
        reader.wait_for_values(1)
        send(reader, "off")
        (up,) = [each.up_filter for each in farm.keyring.fleets]
        reader.client.unsubscribe(up)
        wait_for(lambda: f"UNSUBSCRIBE from {reader_id()}" in broker.log, "deafness")
        # Else the last acknowledgement might be taken for the next one.
        probe.catch_up()
        commands = len(probe.on(given.down_topic))
        answers = len(probe.on(given.up_topic))
        sent = reader.attachment.sender.send(name(0), "on", timeout=LONG, patience=4 * LONG)
        wait_for(lambda: len(probe.on(given.up_topic)) > answers, "an acknowledgement")
        assert not sent.done()
        reader.client.subscribe(up, 1)
        sent.result(LONG)
        copies = probe.on(given.down_topic)[commands:]
        assert len(copies) >= 2
        assert len(set(copies)) == 1
        assert obeyed(node) == ["off", "on"]
        assert node.stats["duplicate"] >= 1


def reader_id() -> str:
    """The client ID of `host`."""
    return "reader"


def test_a_command_of_before_a_reboot_is_refused(
    broker: Mosquitto, probe: Probe, farm: SealedFarm
) -> None:
    down = farm.provision().down_topic
    with host(broker, farm.keyring) as reader, farm.sealed_node(sensor=Counter(0)) as node:
        send(reader, "open")
        recorded = probe.on(down)
        node.power_cycle()
        boots(node, 2)
        for frame in recorded:
            probe.send(down, frame)
        wait_for(lambda: node.stats["forged"] >= len(recorded), "the verdicts")
        send(reader, "shut")
        assert obeyed(node) == ["open", "shut"]


# What becomes of keys.


def test_a_ratchet(
    protocol: MQTTProtocolVersion, broker: Mosquitto, probe: Probe, farm: SealedFarm
) -> None:
    sensor, given = Counter(3), farm.provision()
    with (
        host(broker, farm.keyring, protocol=protocol) as reader,
        farm.sealed_node(sensor=sensor) as node,
    ):
        reader.wait_for_values(3)
        send(reader, "on")
        old = probe.on(given.down_topic)
        ratchet(reader)
        more(reader, sensor)
        assert [each.epoch for each in reader.fresh] == [0] * 3 + [1] * 3
        flash = b"".join(node.flash.values())
        assert given.device_key.expose() not in flash
        assert given.device_key.expose().hex().encode() not in flash
        # The old key's commands are none any more; the new one's are, over a reboot, too.
        for frame in old:
            probe.send(given.down_topic, frame)
        wait_for(lambda: node.stats["wrong_epoch"] >= len(old), "the verdicts")
        send(reader, "off")
        node.power_cycle()
        more(reader, sensor)
        send(reader, "over")
        assert obeyed(node) == ["on", "off", "over"]
        assert reader.fresh[-1].epoch == 1
    assert sorted(reader.values()) == list(range(9))


def test_a_revocation(broker: Mosquitto, tmp_path: Path) -> None:
    farm, sensor = SealedFarm(tmp_path, broker, 2), Counter(3)
    store = espseal.Store.sqlite(tmp_path / "state.sqlite3")
    with farm.sealed_node(0, sensor=sensor) as node, farm.sealed_node(1, sensor=Counter(3)):
        with host(broker, farm.keyring, store) as reader:
            reader.wait_for_values(3, 0)
            reader.wait_for_values(3, 1)
            send(reader, "on")
        farm.file.revoke(name(0))
        with host(broker, farm.reload(), store) as reader:
            sensor.limit += 3
            wait_for(lambda: len(reader.rejected) >= 3, "the verdicts")
            for act in (reader.attachment.sender.send, reader.attachment.sender.ratchet):
                with pytest.raises(espseal.SessionError) as caught:
                    act(name(0), *(["off"] if act.__name__ == "send" else []), timeout=LONG)
                assert caught.value.code == "revoked"
            send(reader, "on", 1)
        assert (reader.fresh, reader.verdicts) == ([], {"revoked"})
        assert obeyed(node) == ["on"]


# What becomes of counters.


def replay(probe: Probe, farm: SealedFarm, count: int) -> int:
    """Sends the first frames that ever came from node 0 again; how many."""
    given = farm.provision()
    own = [each for each in probe.arrivals if each.topic in (given.up_topic, given.hello_topic)]
    for each in own[:count]:
        probe.send(each.topic, each.payload)
    return len(own[:count])


def test_a_wiped_counter_comes_back_by_itself(
    broker: Mosquitto, probe: Probe, farm: SealedFarm
) -> None:
    sensor = Counter(100)
    with host(broker, farm.keyring) as reader, farm.sealed_node(sensor=sensor, interval=10) as node:
        reader.wait_for_values(100)
        wipe(node)
        replayed = replay(probe, farm, 100)
        boots(node, 2)
        more(reader, sensor, 10)
        replayed += replay(probe, farm, 100)
        send(reader, "on")
        assert obeyed(node) == ["on"]
        wait_for(lambda: len(reader.rejected) >= replayed + 1, "the verdicts")
        # And it stays: the next boot is one as any.
        node.power_cycle()
        boots(node, 3)
        more(reader, sensor, 10)
    assert sorted(reader.values()) == list(range(120))
    assert reader.verdicts <= {"replayed", "duplicate", "stale_session"}
    assert all(node.stats.get(each, 0) == 0 for each in ("storage_failed", "dropped"))


def test_a_store_out_of_a_backup(broker: Mosquitto, probe: Probe, tmp_path: Path) -> None:
    """What was accepted since the backup was made is not accepted again."""
    farm, sensor = SealedFarm(tmp_path, broker), Counter(5)
    path, backup = tmp_path / "state.sqlite3", tmp_path / "backup.sqlite3"
    with farm.sealed_node(sensor=sensor) as node:
        with host(broker, farm.keyring, espseal.Store.sqlite(path)) as reader:
            reader.wait_for_values(5)
        shutil.copy(path, backup)
        with host(broker, farm.keyring, espseal.Store.sqlite(path)) as reader:
            sensor.limit = 15
            reader.wait_for_values(10)
            send(reader, "on")
        shutil.copy(backup, tmp_path / "restored.sqlite3")
        restored = espseal.Store.sqlite(tmp_path / "restored.sqlite3")
        restored.mark_restored()
        with host(broker, farm.keyring, restored) as reader:
            replayed = replay(probe, farm, MANY)
            wait_for(lambda: len(reader.rejected) >= replayed, "the verdicts")
            assert reader.fresh == []
            # It asks the device for a hello; the device comes back with the next beacon.
            sensor.limit = 25
            wait_for(lambda: 24 in reader.values(), "the last reading")
            send(reader, "off")
            replay(probe, farm, replayed)
        assert obeyed(node) == ["on", "off"]
    assert set(reader.values()) <= set(range(15, 25))
    assert max(Multiset(reader.values()).values()) == 1


# Several receivers, and processes that die.


def test_two_receivers_on_one_store(broker: Mosquitto, tmp_path: Path) -> None:
    """Each reading is fresh for one of them; both can send, while one is the authority."""
    farm, sensor, path = SealedFarm(tmp_path, broker), Counter(20), tmp_path / "state.sqlite3"
    with (
        host(broker, farm.keyring, espseal.Store.sqlite(path), client_id="authority") as authority,
        host(
            broker,
            farm.keyring,
            espseal.Store.sqlite(path),
            client_id="follower",
            authority=False,
        ) as follower,
        farm.sealed_node(sensor=sensor) as node,
    ):
        both = [authority, follower]
        wait_for(lambda: len({v for each in both for v in each.values()}) >= 20, "the readings")
        send(authority, "on")
        send(follower, "off")
        send(authority, "over")
        assert obeyed(node) == ["on", "off", "over"]
        # The follower reads on alone.
        authority.stop()
        sensor.limit = 30
        wait_for(lambda: 29 in follower.values(), "the last reading")
    assert sorted(v for each in both for v in each.values()) == list(range(30))
    # (An acknowledgement that comes to one when the other has met the next session is stale.)
    readings = [each for reader in both for each in reader.rejected if each.kind == "data"]
    assert {each.verdict.value for each in readings} <= RESENT


def test_a_process_that_dies_before_it_is_done(
    broker: Mosquitto, tmp_path: Path, farm: SealedFarm
) -> None:
    """At least once: it gets the reading again, as fresh, and loses none; nor twice any other."""
    script, file = Path(__file__).with_name("at_least_once.py"), tmp_path / "readings"
    fixed = [broker.host, str(broker.port), farm.file.path, str(tmp_path / "state.sqlite3")]

    def readings() -> list[int]:
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def run(dies: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, script, *fixed, file, str(dies)])

    sensor, died_at = Counter(MANY), []
    with farm.sealed_node(sensor=sensor, interval=30):
        for dies in (3, 1, 5):
            with run(dies) as process:
                assert process.wait(4 * LONG) == 9
            died_at.append(readings()[-1])
        with run(0) as process:
            sensor.limit = sensor.taken
            wait_for(lambda: set(readings()) == set(range(sensor.limit)), "all readings")
            process.kill()
    again = {value for value, times in Multiset(readings()).items() if times > 1}
    assert again == set(died_at)


# Another client library.


@pytest.mark.parametrize("version", [aiomqtt.ProtocolVersion.V311, aiomqtt.ProtocolVersion.V5])
def test_aiomqtt(version: aiomqtt.ProtocolVersion, broker: Mosquitto, farm: SealedFarm) -> None:
    store, sensor = espseal.Store.memory(), Counter(5)
    receiver = espseal.Receiver(farm.keyring, store)
    fresh: list[espseal.Message] = []
    rejected: list[espseal.Message] = []

    async def play(node: Node) -> None:
        async with aiomqtt.Client(broker.host, broker.port, protocol=version) as client:
            messages = espseal.aiomqtt.messages(
                client,
                receiver,
                on_rejected=rejected.append,
                sender=espseal.Sender(farm.keyring, store),
            )

            async def collect() -> None:
                async for message in messages:
                    fresh.append(message)

            async with messages:
                task = asyncio.create_task(collect())
                # It may be asked before the device has come.
                await messages.sender.send(name(0), "on", timeout=LONG, patience=LONG)
                await until(lambda: len(fresh) >= 5, "readings")
                await messages.sender.ratchet(name(0), timeout=LONG, patience=LONG)
                sensor.limit = 8
                await until(lambda: len(fresh) >= 8, "readings of the next epoch")
                await messages.sender.send(name(0), "off", timeout=LONG, patience=LONG)
            await task
        assert await asyncio.to_thread(obeyed, node) == ["on", "off"]

    with farm.sealed_node(sensor=sensor) as node:
        asyncio.run(play(node))
    assert sorted(int(each.data or b"") for each in fresh) == list(range(8))
    assert {each.epoch for each in fresh[-3:]} == {1}
    assert {each.verdict.value for each in rejected} <= RESENT
