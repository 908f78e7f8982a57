"""Host to Lua node: commands over a real broker, and what an attacker makes of them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

import espseal
from broker import Mosquitto
from espseal.simulator import LuaSource, Node, firmware_files
from support import Probe, wait_for

Lua = Literal["5.1", "5.3"]

KEYS = {
    "iv_key": os.urandom(16),
    "data_key": os.urandom(16),
    "static_iv": os.urandom(16),
    "passphrase": os.urandom(32),
}
KEYRING = (
    f"""version = 1
session_key = "{os.urandom(32).hex()}"
[[classic_group]]
name = "house"
topic = "house/+"
session_topic = "house/session"
command_topic = "house/{{node_id}}/command"
command_session_topic = "house/{{node_id}}/command-session"
[classic_group.keys]
"""
    + "".join(f'{name} = {{ hex = "{key.hex()}" }}\n' for name, key in KEYS.items())
    + "".join(
        f'[[device]]\nname = "{name}"\nclassic = {{ group = "house", node_id = "{node_id}" }}\n'
        for name, node_id in {"lamp": "1", "pump": "2"}.items()
    )
)
# The node says what it does, and fails at what it is told to.
OBEY = LuaSource('function(data) if data == "fail" then error("oh") end print("does " .. data) end')
SESSION = "house/session"


def command_topic(node_id: str) -> str:
    return f"house/{node_id}/command"


def session_topic(node_id: str) -> str:
    return f"house/{node_id}/command-session"


class House:
    """A host that sends commands, with a store of its own."""

    def __init__(self, probe: Probe) -> None:
        self.keyring = espseal.Keyring.parse(KEYRING)
        self.sender = espseal.Sender(self.keyring, espseal.Store.memory())
        self._probe = probe
        self._used: dict[str, bytes] = {}

    def shown(self, node_id: str) -> bytes:
        """Waits for a command session of a node that this host has not used."""
        topic = session_topic(node_id)
        wait_for(
            lambda: self._probe.on(topic)[-1:] not in ([], [self._used.get(topic)]),
            f"a new session on {topic}",
        )
        return self._probe.on(topic)[-1]

    def seal(self, name: str, data: bytes, session: bytes) -> bytes:
        """A command for a device under what was shown as its session."""
        node_id = next(each.node_id for each in self.keyring.devices if each.name == name)
        assert self.sender.hear(session, topic=session_topic(node_id or ""))
        publication = self.sender.seal(name, data)
        assert publication.topic == command_topic(node_id or "")
        assert (publication.qos, publication.retain) == (1, False)
        self._used[session_topic(node_id or "")] = session
        return publication.payload

    def command(self, name: str, data: bytes, node_id: str) -> bytes:
        """Sends a command, as soon as the node shows a session; returns its frame."""
        frame = self.seal(name, data, self.shown(node_id))
        self._probe.send(command_topic(node_id), frame)
        return frame


@pytest.fixture
def house(probe: Probe) -> House:
    return House(probe)


@pytest.fixture(params=["5.1", "5.3"])
def lua(request: pytest.FixtureRequest) -> Lua:
    version: Lua = request.param
    return version


def fields(broker: Mosquitto, node_id: str = "1") -> dict[str, Any]:
    """The configuration of a node that takes commands. Its sensor reads what one could be."""
    return {
        "mqtt_host": broker.host,
        "mqtt_port": broker.port,
        "node_id": node_id,
        "topic": f"house/{node_id}",
        "session_topic": SESSION,
        "keys": KEYS,
        "sensor": LuaSource('function() return "on" end'),
        "interval": 200,
        "session_settle": 50,
        "reconnect_min": 50,
        "reconnect_max": 200,
        "command_topic": command_topic(node_id),
        "command_session_topic": session_topic(node_id),
        "on_command": OBEY,
    }


def new_node(
    broker: Mosquitto,
    lua: Lua,
    node_id: str = "1",
    **changes: Any,  # noqa: ANN401 - any field's value
) -> Node:
    """A node with `fields`, but for the changes."""
    config = {**fields(broker, node_id), **changes}
    return Node(chip_id=1000 + int(node_id), config=config, lua=lua)


@pytest.fixture
def node(broker: Mosquitto, lua: Lua) -> Iterator[Node]:
    """Node 1, the lamp, listening."""
    with new_node(broker, lua) as node:
        node.wait_for(says("mqtt: listening"))
        yield node
        assert (node.panics, node.draws_before_ip) == (0, 0)


def says(text: str) -> Callable[[str], bool]:
    """Whether a line begins so."""
    return lambda line: line.startswith(text)


def does(node: Node) -> list[str]:
    """The commands that were handed to on_command."""
    return [line.removeprefix("does ") for line in node.lines if line.startswith("does ")]


def test_commands_are_obeyed_once_and_in_order(
    node: Node, house: House, probe: Probe, broker: Mosquitto
) -> None:
    commands = ["on", "off", "", "ümläut \x01 100%", "x" * 300]
    for data in commands:
        house.command("lamp", data.encode(), "1")
        node.wait_for(says("does "))
    stats = node.stats
    assert (stats["commands"], stats["commands_refused"]) == (len(commands), 0)
    assert does(node)[:3] == ["on", "off", ""]
    assert len(does(node)) == len(commands)
    # A host that comes later finds a session, and it is the one that is good.
    with Probe(broker) as late:
        wait_for(lambda: late.on(session_topic("1")), "the retained session")
        assert late.arrivals[0].retained
        frame = house.seal("lamp", b"late", late.on(session_topic("1"))[-1])
    probe.send(command_topic("1"), frame)
    node.wait_for(says("does late"))


def test_commands_and_readings_together(
    broker: Mosquitto, house: House, probe: Probe, lua: Lua
) -> None:
    """NodeMCU has one callback for all acknowledgements: a session shown is no reading sent."""
    receiver = espseal.Receiver(house.keyring, espseal.Store.memory())
    numbers = iter(range(1000))
    session = receiver.publications()[0]
    probe.send(session.topic, session.payload, retain=True)
    config = {
        **fields(broker),
        "sensor": LuaSource("function() return adc.read(0) end"),
        "interval": 20,
        "outbox": 1000,
    }
    with Node(chip_id=1001, config=config, lua=lua, sensor=lambda: next(numbers)) as node:
        for number in range(20):
            house.command("lamp", b"%d" % number, "1")
            node.wait_for(says(f"does {number}"))
        assert does(node) == [str(number) for number in range(20)]
        readings = node.stats["published"]
        wait_for(lambda: len(set(probe.on("house/1"))) >= readings, "the readings")
        opened = [receiver.open(frame, topic="house/1") for frame in probe.on("house/1")]
        values = [int(each.data or b"") for each in opened if each.verdict == "fresh"]
        assert values == list(range(len(values)))
        assert {each.verdict.value for each in opened} <= {"fresh", "duplicate"}
        assert (node.panics, node.stats["commands_refused"]) == (0, 0)


def test_a_reflected_reading(node: Node, house: House, probe: Probe) -> None:
    """The node's command session, shown to it as the host's: its reading comes back to it."""
    session = house.shown("1")
    probe.send(SESSION, session, retain=True)
    wait_for(lambda: probe.on("house/1"), "a reading under the node's own session")
    reading = probe.on("house/1")[-1]
    probe.send(command_topic("1"), reading)
    node.wait_for(says("refused a command: wrong_direction"))
    assert does(node) == []
    # It used nothing up, and the host takes no such reading.
    assert house.shown("1") == session
    house.command("lamp", b"off", "1")
    node.wait_for(says("does off"))
    receiver = espseal.Receiver(house.keyring, espseal.Store.memory())
    receiver.publications()
    assert receiver.open(reading, topic="house/1").verdict == "forged"


def test_a_command_reflected_to_the_host(node: Node, house: House, probe: Probe) -> None:
    """The host's session, shown as the node's: what the host seals under it is no reading."""
    receiver = espseal.Receiver(house.keyring, espseal.Store.memory())
    session = receiver.publications()[0].payload
    frame = house.seal("lamp", b"on", session)
    assert receiver.open(frame, topic="house/1").verdict == "wrong_direction"
    probe.send(command_topic("1"), frame)
    node.wait_for(says("refused a command: forged"))
    assert does(node) == []


def test_a_repeated_command(node: Node, house: House, probe: Probe) -> None:
    frame = house.command("lamp", b"on", "1")
    node.wait_for(says("does on"))
    for copy in (frame, frame.upper(), frame):
        probe.send(command_topic("1"), copy)
        node.wait_for(says("refused a command: duplicate"))
    house.command("lamp", b"off", "1")
    node.wait_for(says("does off"))
    probe.send(command_topic("1"), frame, retain=True)
    node.wait_for(says("refused a command: duplicate"))
    assert does(node) == ["on", "off"]
    assert (node.stats["commands"], node.stats["commands_refused"]) == (2, 4)


def test_two_hosts_under_one_session(node: Node, house: House, probe: Probe) -> None:
    session = house.shown("1")
    frames = [each.seal("lamp", b"on", session) for each in (house, House(probe))]
    for frame in frames:
        probe.send(command_topic("1"), frame)
    node.wait_for(says("refused a command: stale_session"))
    assert does(node) == ["on"]


def test_a_command_of_another_node(
    broker: Mosquitto, node: Node, house: House, probe: Probe, lua: Lua
) -> None:
    with new_node(broker, lua, "2") as pump:
        pump.wait_for(says("mqtt: listening"))
        frame = house.command("pump", b"on", "2")
        pump.wait_for(says("does on"))
        probe.send(command_topic("1"), frame)
        node.wait_for(says("refused a command: forged"))
        # The lamp's session, shown as the pump's: the host seals for the pump under it.
        session = house.shown("1")
        frame = house.seal("pump", b"flood", session)
        probe.send(command_topic("1"), frame)
        node.wait_for(says("refused a command: wrong_direction"))
        probe.send(command_topic("2"), frame)
        pump.wait_for(says("refused a command: forged"))
        assert (does(node), does(pump)) == ([], ["on"])
        assert house.shown("1") == session


def test_a_forged_session_topic(node: Node, house: House, probe: Probe) -> None:
    """A false command session: the node refuses what was sealed under it, and shows its own."""
    true = house.shown("1")
    for number, false in enumerate([b"0" * 32, b"no session", b""]):
        probe.send(session_topic("1"), false, retain=True)
        wait_for(lambda: probe.on(session_topic("1"))[-1] == true, "the true session, again")
        node.wait_for(says("a false session ID: answered"))
        assert node.stats["false_sessions"] == number + 1
    probe.send(command_topic("1"), house.seal("lamp", b"on", b"0" * 32))
    node.wait_for(says("refused a command: forged"))
    assert does(node) == []
    house.command("lamp", b"off", "1")
    node.wait_for(says("does off"))


def test_after_a_power_cycle_no_old_command_opens(node: Node, house: House, probe: Probe) -> None:
    obeyed = house.command("lamp", b"on", "1")
    node.wait_for(says("does on"))
    # Captured on its way, and never delivered.
    held_back = house.seal("lamp", b"off", house.shown("1"))
    node.power_cycle()
    node.wait_for(says("mqtt: listening"))
    for frame in (obeyed, held_back):
        probe.send(command_topic("1"), frame)
        node.wait_for(says("refused a command: forged"))
    house.command("lamp", b"dim", "1")
    node.wait_for(says("does dim"))
    assert does(node) == ["on", "dim"]
    # The session that the broker kept is replaced before the node hears it.
    assert node.stats["false_sessions"] == 0


def test_a_session_outlives_the_connection(
    node: Node, house: House, probe: Probe, broker: Mosquitto
) -> None:
    session = house.shown("1")
    frame = house.seal("lamp", b"on", session)
    broker.restart()
    node.wait_for(says("mqtt: listening"))
    wait_for(probe.client.is_connected, "the attacker's connection")
    probe.send(command_topic("1"), frame)
    node.wait_for(says("does on"))
    probe.send(command_topic("1"), frame)
    node.wait_for(says("refused a command: duplicate"))


def test_a_broker_that_forgets_is_told_again(lua: Lua, tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, new_node(broker, lua) as node:
        node.wait_for(says("mqtt: listening"))
        broker.restart()
        node.wait_for(says("mqtt: listening"))
        with Probe(broker) as probe:
            house = House(probe)
            house.command("lamp", b"on", "1")
            node.wait_for(says("does on"))
        assert node.stats["false_sessions"] == 0


def test_a_lost_command_does_not_silence_the_host(
    broker: Mosquitto, house: House, lua: Lua
) -> None:
    with new_node(broker, lua, command_session_interval=1) as node:
        node.wait_for(says("mqtt: listening"))
        held_back = house.seal("lamp", b"lost", house.shown("1"))
        for data in (b"on", b"off"):
            house.command("lamp", data, "1")
            node.wait_for(says("does " + data.decode()))
        # Two sessions later it is too late for it, too.
        with Probe(broker) as attacker:
            for _ in range(2):
                house.seal("lamp", b"unused", house.shown("1"))
            attacker.send(command_topic("1"), held_back)
        node.wait_for(says("refused a command: forged"))
        assert does(node) == ["on", "off"]


def test_an_error_of_the_user_is_counted(node: Node, house: House) -> None:
    for number in range(3):
        house.command("lamp", b"fail", "1")
        line = node.wait_for(says("on_command failed: "))
        assert line.endswith("oh")
        assert node.stats["command_errors"] == number + 1
    house.command("lamp", b"on", "1")
    node.wait_for(says("does on"))
    assert (node.panics, node.boots, node.stats["commands"]) == (0, 1, 4)


def test_garbage_and_changed_commands(node: Node, house: House, probe: Probe) -> None:
    frame = house.seal("lamp", b"on", house.shown("1"))
    changed = frame[:-1] + (b"1" if frame.endswith(b"0") else b"0")
    for payload, verdict in [
        (b"", "malformed"),
        (b"on", "malformed"),
        (frame + b"\n", "malformed"),
        (os.urandom(500), "malformed"),
        (changed, "forged"),
    ]:
        probe.send(command_topic("1"), payload)
        node.wait_for(lambda line, verdict=verdict: line == f"refused a command: {verdict}")  # type: ignore[misc]
    probe.send(command_topic("1"), frame)
    node.wait_for(says("does on"))
    assert does(node) == ["on"]


def test_messages_of_peers_are_commands_only_where_it_says_so(
    broker: Mosquitto, house: House, probe: Probe, lua: Lua
) -> None:
    """A node that sends to this one may have been shown its command session by anyone."""
    for peers, answer in [
        (None, "refused a command: wrong_direction"),
        (["3"], "refused a command: unknown_device"),
        (["2"], "does on"),
    ]:
        pump = espseal.Device.from_keyring(house.keyring, "pump")
        with new_node(broker, lua, peers=peers) as node:
            node.wait_for(says("mqtt: listening"))
            wait_for(lambda: probe.on(session_topic("1")), "a session")
            assert pump.hear(probe.on(session_topic("1"))[-1])
            probe.send(command_topic("1"), pump.seal(b"on", to=b"1"))
            node.wait_for(lambda line, answer=answer: line == answer)  # type: ignore[misc]
        probe.arrivals.clear()


def test_a_linux_device_sends_to_a_receiver_node(
    broker: Mosquitto, house: House, probe: Probe, lua: Lua
) -> None:
    config = {
        **fields(broker),
        "node_id": "R",
        "topic": "house/+",
        "nodes": ["1"],
        "peers": ["2"],
        "on_reading": LuaSource('function(id, data) print("got " .. id .. " " .. data) end'),
    }
    with Node(chip_id=1, config=config, lua=lua, startup="receiver.lua") as node:
        node.wait_for(says("mqtt: listening"))
        lamp, pump = (espseal.Device.from_keyring(house.keyring, name) for name in ("lamp", "pump"))
        for device in (lamp, pump):
            probe.session(device)
        frames = [lamp.seal(b"5"), pump.seal(b"on", to=b"R")]
        for frame, line in zip(frames, ["got 1 5", "got 2 on"], strict=True):
            probe.send("house/x", frame)
            node.wait_for(lambda found, line=line: found == line)  # type: ignore[misc]
            probe.send("house/x", frame)
            node.wait_for(says("duplicate, "))
        for frame, verdict in [
            (pump.seal(b"on"), "unknown_device"),
            (pump.seal(b"on", to=b"1"), "wrong_direction"),
        ]:
            probe.send("house/x", frame)
            node.wait_for(says(verdict))
        assert node.stats["fresh"] == 2


@pytest.mark.parametrize("missing", ["command_topic", "command_session_topic", "on_command"])
def test_commands_need_all_three(broker: Mosquitto, lua: Lua, missing: str) -> None:
    changes: dict[str, Any] = {missing: None}
    with new_node(broker, lua, **changes) as node:
        node.wait_for(says(f"stopped: missing_field ({missing}): commands need all three"))
        assert node.panics == 0


def test_without_commands_nothing_more_is_needed(
    broker: Mosquitto, probe: Probe, lua: Lua, tmp_path: Path
) -> None:
    for name in ("espseal.lua", "heard.lua", "lane.lua", "link.lua", "main.lua", "setup.lua"):
        (tmp_path / name).write_bytes(firmware_files()[name])
    config = {name: value for name, value in fields(broker).items() if "command" not in name}
    with Node(chip_id=1, config=config, lua=lua, firmware=tmp_path) as node:
        node.wait_for(says("mqtt: listening"))
        probe.send(SESSION, b"0" * 32, retain=True)
        wait_for(lambda: probe.on("house/1"), "a reading")
        assert not any("command" in name for name in node.stats)
        assert (node.panics, probe.on(session_topic("1"))) == (0, [])
