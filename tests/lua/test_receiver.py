"""receiver.lua: a node that publishes session IDs for other nodes and opens what they send."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from broker import Mosquitto
from espseal.simulator import LuaSource, LuaVersion, Node, firmware_files

from .conftest import KEYS, SESSION_TOPIC, TOPIC, Host, seal_frame

RECEIVER_ID, READER_ID, PEER_ID = "R", "1", "8"
GOT = LuaSource('function(id, data, topic) print("got " .. id .. " " .. data .. " " .. topic) end')
KEPT = {
    "sensors/one": READER_ID,
    "sensors/two": PEER_ID,
}


def receiver(port: int, lua: LuaVersion, **changes: Any) -> Node:  # noqa: ANN401 - any field
    """Node R, which takes readings of node 1 and messages of node 8."""
    config = {
        "mqtt_host": "127.0.0.1",
        "mqtt_port": port,
        "topic": "sensors/+",
        "session_topic": SESSION_TOPIC,
        "keys": KEYS,
        "node_id": RECEIVER_ID,
        "nodes": [READER_ID],
        "peers": [PEER_ID],
        "on_reading": GOT,
        "reconnect_min": 100,
        "reconnect_max": 400,
        **changes,
    }
    return Node(chip_id=1000, config=config, lua=lua, startup="receiver.lua")


def sender(port: int, lua: LuaVersion, **changes: Any) -> Node:  # noqa: ANN401 - any field
    """Node 1, which sends readings: 0, 1, 2 and so on."""
    numbers = count()
    config = {
        "mqtt_host": "127.0.0.1",
        "mqtt_port": port,
        "topic": TOPIC,
        "session_topic": SESSION_TOPIC,
        "keys": KEYS,
        "node_id": READER_ID,
        "interval": 100,
        "session_settle": 300,
        "reconnect_min": 100,
        "reconnect_max": 400,
        "outbox": 500,
        **changes,
    }
    chip_id = 1000 + len(str(changes)) + int(str(config["node_id"]))
    return Node(chip_id=chip_id, config=config, lua=lua, sensor=lambda: next(numbers))


def peer(port: int, lua: LuaVersion, **changes: Any) -> Node:  # noqa: ANN401 - any field
    """Node 8, which sends to node R."""
    changes = {"topic": "sensors/two", "node_id": PEER_ID, "to": RECEIVER_ID, **changes}
    return sender(port, lua, **changes)


def got(node: Node, node_id: str = READER_ID) -> list[int]:
    """The readings of a node that were handed to on_reading."""
    words = [line.split() for line in node.lines if line.startswith("got ")]
    assert all(KEPT[topic] == sent_by for _, sent_by, _, topic in words)
    return [int(data) for _, sent_by, data, _ in words if sent_by == node_id]


def says(text: str) -> Callable[[str], bool]:
    """Whether a line begins so."""
    return lambda line: line.startswith(text)


def wait_for_more(node: Node, more: int, node_id: str = READER_ID) -> list[int]:
    """Waits for further readings of a node."""
    for _ in range(more):
        node.wait_for(says(f"got {node_id} "))
    return got(node, node_id)


def other(lua: LuaVersion) -> LuaVersion:
    """The build that the other side has."""
    return "5.1" if lua == "5.3" else "5.3"


def test_two_nodes_send_to_a_third(broker: Mosquitto, lua: LuaVersion) -> None:
    """A reading as in the article, and a message to this node; each once, and in their order."""
    with (
        receiver(broker.port, lua) as node,
        sender(broker.port, other(lua), qos=2) as one,
        peer(broker.port, other(lua), layout="raw") as two,
    ):
        wait_for_more(node, 8)
        wait_for_more(node, 8, PEER_ID)
        for node_id in (READER_ID, PEER_ID):
            readings = got(node, node_id)
            assert readings == list(range(len(readings)))
        assert (node.panics, one.panics, two.panics) == (0, 0, 0)
        assert node.draws_before_ip == 0
        stats = node.stats
        # NodeMCU may send a packet twice; nothing else is refused.
        refused = ("stale_session", "unknown_device", "wrong_direction", "forged", "malformed")
        assert [stats[verdict] for verdict in refused] == [0] * 5
        assert stats["shown"] == 1
        assert stats["false_sessions"] == 0


def test_each_session_is_shown_retained_and_taken_over(
    broker: Mosquitto, host: Host, lua: LuaVersion
) -> None:
    with (
        receiver(broker.port, lua, session_interval=1, session_life=4) as node,
        sender(broker.port, lua) as one,
    ):
        for _ in range(3):
            one.wait_for(says("session ID received"))
        readings = wait_for_more(node, 10)
        assert readings == list(range(len(readings)))
        # Who comes late finds one.
        with sender(broker.port, lua, node_id="2") as late:
            late.wait_for(says("session ID received"))
            node.wait_for(says("unknown_device, "))
        assert node.stats["forged"] == node.stats["false_sessions"] == 0
        # Captured, and sent again until its session is over, and longer.
        for verdict in ("duplicate", "stale_session", "forged"):
            while not node.stats[verdict]:
                host.say(host.frames[0], topic=TOPIC, retain=False)
                node.wait_for(says("got"))
        readings = got(node)
        assert readings == list(range(len(readings)))


def test_a_session_is_renewed_also_while_nobody_sends(broker: Mosquitto, lua: LuaVersion) -> None:
    with (
        Host(broker.port, SESSION_TOPIC) as listener,
        receiver(broker.port, lua, session_interval=1, session_life=4) as node,
    ):
        listener.wait_different(3)
        assert node.stats["false_sessions"] == 0


def test_what_is_refused(broker: Mosquitto, host: Host, lua: LuaVersion) -> None:
    with receiver(broker.port, lua) as node, sender(broker.port, lua) as one:
        wait_for_more(node, 2)
        frame = host.frames[0]
        flipped = frame[:-1] + (b"1" if frame.endswith(b"0") else b"0")
        with Host(broker.port, SESSION_TOPIC) as listener:
            session = listener.wait_frames(1)[0]
        attacks: list[tuple[str, bytes]] = [
            ("duplicate", frame),
            ("duplicate", frame.upper()),
            ("forged", flipped),
            ("forged", seal_frame(b"1", b"7", b"0" * 32)),
            ("forged", seal_frame(b"1", b"7", b"")),
            ("malformed", b"hello"),
            ("malformed", b""),
            # What else is sealed with these keys, if its sender was shown this node's session.
            ("wrong_direction", seal_frame(b">R", b"7", session)),
            ("wrong_direction", seal_frame(b">1", b"7", session)),
            ("wrong_direction", seal_frame(b"8>1", b"7", session)),
            ("unknown_device", seal_frame(b"8", b"7", session)),
            ("unknown_device", seal_frame(b"1>R", b"7", session)),
            ("unknown_device", seal_frame(b"9>R", b"7", session)),
        ]
        before = node.stats
        for verdict, payload in attacks:
            host.say(payload, topic="sensors/attack", retain=False)
            node.wait_for(says(f"{verdict}, {len(payload)} bytes on sensors/attack"))
        after = node.stats
        for verdict in {verdict for verdict, _ in attacks} - {"duplicate"}:
            count_of = sum(each == verdict for each, _ in attacks)
            assert after[verdict] - before[verdict] == count_of, verdict
        readings = wait_for_more(node, 3)
        assert readings == list(range(len(readings)))
        assert (node.panics, one.stats["dropped"]) == (0, 0)


def test_a_false_session_id_is_answered(broker: Mosquitto, host: Host, lua: LuaVersion) -> None:
    with (
        Host(broker.port, SESSION_TOPIC) as listener,
        receiver(broker.port, lua) as node,
        # No node takes an ID that has not stood for so long.
        sender(broker.port, lua, session_settle=1500) as one,
    ):
        wait_for_more(node, 2)
        true = listener.wait_frames(1)[0]
        for false in (b"0" * 32, b"no session ID", b"", true.upper() + b"0"):
            host.say(false, topic=SESSION_TOPIC)
            listener.wait_last(false, true)
            node.wait_for(says("a false session ID: answered"))
        readings = wait_for_more(node, 5)
        assert readings == list(range(len(readings)))
        assert (node.stats["false_sessions"], one.stats["sessions"]) == (4, 1)
        # A flood is answered, and not by a flood.
        for number in range(300):
            host.say(f"{number:032x}", topic=SESSION_TOPIC)
        for _ in range(300):
            node.wait_for(says("a false session ID: answered"))
        listener.wait_last(b"%032x" % 299, true)
        assert node.stats["false_sessions"] == 304
        assert node.stats["shown"] < 150
    with Host(broker.port, SESSION_TOPIC) as late:
        assert late.wait_frames(1)[0] == true


def test_an_error_in_on_reading_is_counted(broker: Mosquitto, lua: LuaVersion) -> None:
    fails = LuaSource(
        'function(_, data) if data == "1" then error("oh") end print("got 1 " .. data .. " x") end'
    )
    with receiver(broker.port, lua, on_reading=fails) as node, sender(broker.port, lua):
        node.wait_for(says("got 1 0"))
        line = node.wait_for(says("on_reading failed: "))
        assert line.endswith("oh")
        node.wait_for(says("got 1 2"))
        assert (node.stats["reading_errors"], node.panics, node.boots) == (1, 0, 1)


def test_a_power_cycle_of_the_receiver(broker: Mosquitto, host: Host, lua: LuaVersion) -> None:
    """What it accepted before is not accepted again; its nodes go on under new sessions."""
    with receiver(broker.port, lua) as node, sender(broker.port, lua) as one:
        wait_for_more(node, 3)
        frame = host.frames[0]
        node.power_cycle()
        node.wait_for(says("mqtt: listening"))
        host.say(frame, topic=TOPIC, retain=False)
        node.wait_for(says("forged, "))
        one.wait_for(says("session ID received"))
        one.wait_for(says("session ID received"))
        readings = wait_for_more(node, 3)
        assert len(readings) == len(set(readings))
        assert readings == sorted(readings)
        # What the broker kept of its former life is replaced before it is heard.
        assert (node.draws_before_ip, node.stats["false_sessions"]) == (0, 0)


def test_a_retained_reading_stays_a_duplicate(
    broker: Mosquitto, host: Host, lua: LuaVersion
) -> None:
    """The article publishes retained: the last frame comes again at every connection."""
    with receiver(broker.port, lua, session_interval=1, session_life=2) as node:
        with sender(broker.port, lua, retain=1):
            wait_for_more(node, 2)
        broker.stop()
        broker.start()
        node.wait_for(says("duplicate, "))
        host.wait_connected()
        assert node.stats["connects"] == 2
        assert got(node) == list(range(len(got(node))))


def test_a_broker_that_forgets_is_told_again(
    broker: Mosquitto, lua: LuaVersion, tmp_path: Path
) -> None:
    with receiver(broker.port, lua) as node:
        node.wait_for(says("mqtt: listening"))
        broker.stop()
        (tmp_path / "mosquitto.db").unlink()
        broker.start()
        node.wait_for(says("mqtt: listening"))
        with Host(broker.port, SESSION_TOPIC) as listener:
            listener.wait_frames(1)
        assert (node.stats["shown"], node.stats["false_sessions"]) == (2, 0)


def test_a_broker_restart_loses_and_doubles_nothing(broker: Mosquitto, lua: LuaVersion) -> None:
    with receiver(broker.port, lua) as node, sender(broker.port, lua) as one:
        wait_for_more(node, 3)
        broker.stop()
        one.wait_for(says("mqtt: connection failed"))
        node.wait_for(says("mqtt: connection failed"))
        broker.start()
        node.wait_for(says("mqtt: listening"))
        readings = wait_for_more(node, 10)
        assert readings == sorted(set(readings))
        assert (node.panics, one.panics, node.stats["disconnects"]) == (0, 0, 1)
        # Its sessions have outlived the connection: the nodes need no new one.
        assert one.stats["sessions"] == 1
        assert node.stats["forged"] == node.stats["stale_session"] == 0


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"nodes": None, "peers": None}, "stopped: missing_field (nodes)"),
        ({"nodes": "1"}, "stopped: invalid_value (nodes)"),
        ({"session_life": 30}, "stopped: invalid_value (session_life)"),
        ({"on_reading": None}, "stopped: missing_field (on_reading)"),
        ({"topic": None}, "stopped: missing_field (topic)"),
    ],
)
def test_it_stops_on_a_configuration_that_cannot_be_meant(
    lua: LuaVersion, changes: dict[str, Any], line: str
) -> None:
    with receiver(1, lua, **changes) as node:
        node.wait_for(lambda found: found == line + ": see receiver.config.example.lua")
        assert not any(found.startswith("wifi") for found in node.lines)
        assert node.panics == 0


def test_the_example_is_complete_and_refused(lua: LuaVersion, tmp_path: Path) -> None:
    for name, text in firmware_files().items():
        (tmp_path / name).write_bytes(text)
    (tmp_path / "config.lua").write_bytes(firmware_files()["receiver.config.example.lua"])
    with Node(chip_id=1, config=None, lua=lua, firmware=tmp_path, startup="receiver.lua") as node:
        node.wait_for(lambda line: line == "stopped: placeholder_keys (iv_key)")


def test_init_starts_the_receiver_where_there_is_no_main(lua: LuaVersion, tmp_path: Path) -> None:
    for name, text in firmware_files().items():
        if name != "main.lua":
            (tmp_path / name).write_bytes(text)
    with Node(chip_id=1, config=None, lua=lua, firmware=tmp_path, startup="init.lua") as node:
        node.wait_for(says("stopped: no config.lua: see receiver.config.example.lua"))
