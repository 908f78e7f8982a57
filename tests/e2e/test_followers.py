"""One authority and its followers: Paho clients on a Mosquitto, and devices on the other side."""

import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

import espseal
from broker import Mosquitto
from farm import Reader
from support import PROTOCOLS, Node, Probe, new_keyring, wait_for

SESSION = "sensors/session"
# New IDs often, and none that expires while a slow machine runs the test.
LONG = "session_interval = 1\nsession_life = 3600"


@pytest.fixture(params=PROTOCOLS, ids=lambda protocol: protocol.name)
def protocol(request: pytest.FixtureRequest) -> MQTTProtocolVersion:
    parameter: MQTTProtocolVersion = request.param
    return parameter


@pytest.fixture
def keyring(tmp_path: Path) -> espseal.Keyring:
    return new_keyring(tmp_path, {"0": "1000"}, options=LONG)


def reader(
    broker: Mosquitto,
    keyring: espseal.Keyring,
    name: str,
    *,
    protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv311,
    store: espseal.Store | None = None,
    authority: bool = False,
) -> Reader:
    return Reader(
        broker,
        keyring,
        name=name,
        topic="sensors/+",
        protocol=protocol,
        store=store,
        authority=authority,
    )


def data(reader: Reader) -> list[str]:
    return [each.text or "" for each in reader.fresh]


def minted(session: bytes) -> int:
    """When an ID was minted, in Unix seconds (`CLASSIC.md`, Session IDs)."""
    return int(session[:8], 16)


def test_fifty_nodes(protocol: MQTTProtocolVersion, broker: Mosquitto, tmp_path: Path) -> None:
    devices = {str(number): str(1000 + number) for number in range(50)}
    keyring = new_keyring(tmp_path, devices, options=LONG)
    with ExitStack() as stack:
        # First: a follower that knows no ID takes none from before its start.
        followers = [
            stack.enter_context(reader(broker, keyring, name, protocol=protocol))
            for name in ("first", "second")
        ]
        authority = reader(broker, keyring, "authority", protocol=protocol, authority=True)
        readers = [stack.enter_context(authority), *followers]
        nodes = [
            stack.enter_context(Node(broker, keyring, name, node_id, protocol))
            for name, node_id in devices.items()
        ]
        for round_ in range(4):
            heard = [len(node.sessions) for node in nodes]
            for node in nodes:
                node.send(f"{node.device.name}: {round_}")
            # Each round under other IDs than the one before.
            wait_for(
                lambda: all(len(n.sessions) > h for n, h in zip(nodes, heard, strict=True)),  # noqa: B023
                "new session IDs",
            )
        for each in readers:
            wait_for(lambda: len(each.fresh) >= 200, "all readings")  # noqa: B023
    expected = Counter(f"{name}: {round_}" for name in devices for round_ in range(4))
    for each in readers:
        assert Counter(data(each)) == expected
        assert all((message.text or "").startswith(f"{message.device}:") for message in each.fresh)
        assert each.rejected == []
        assert each.receiver.false_sessions == 0
    assert [each.receiver.next_due() for each in followers] == [None, None]


def test_a_follower_that_comes_late(
    protocol: MQTTProtocolVersion, broker: Mosquitto, probe: Probe, keyring: espseal.Keyring
) -> None:
    with (
        reader(broker, keyring, "authority", protocol=protocol, authority=True) as authority,
        Node(broker, keyring, "0", "1000", protocol) as node,
    ):
        node.send("1")
        wait_for(lambda: data(authority) == ["1"], "the reading")
        old = espseal.Device.from_keyring(keyring, "0")
        assert old.hear(node.sessions[0])
        # The clock of a receiver is some milliseconds late.
        wait_for(lambda: time.time() >= minted(node.sessions[0]) + 1.5, "the next second")
        with reader(broker, keyring, "late", protocol=protocol) as late:
            # It cannot know what was accepted under an ID from before.
            probe.send("sensors/1000", old.seal("2"))
            wait_for(lambda: late.rejected, "a verdict")
            wait_for(lambda: data(authority) == ["1", "2"], "the reading")
            heard = len(node.sessions)
            wait_for(lambda: len(node.sessions) > heard + 1, "a new session ID")
            node.send("3")
            wait_for(lambda: data(late) == ["3"], "the reading")
            wait_for(lambda: data(authority) == ["1", "2", "3"], "the reading")
            assert late.verdicts <= {"forged", "stale_session"}
    assert authority.rejected == []


def test_a_follower_that_restarts(
    protocol: MQTTProtocolVersion, broker: Mosquitto, probe: Probe, keyring: espseal.Keyring
) -> None:
    store = espseal.Store.memory()
    with (
        reader(broker, keyring, "authority", protocol=protocol, authority=True) as authority,
        Node(broker, keyring, "0", "1000", protocol) as node,
    ):
        with reader(broker, keyring, "follower", protocol=protocol, store=store) as follower:
            heard = len(node.sessions)
            wait_for(lambda: len(node.sessions) > heard + 1, "a new session ID")
            device = espseal.Device.from_keyring(keyring, "0")
            device.hear(node.sessions[-1])
            frame, kept = device.seal("1"), device.seal("2")
            probe.send("sensors/1000", frame)
            wait_for(lambda: data(follower) == ["1"], "the reading")
        with reader(broker, keyring, "follower", protocol=protocol, store=store) as follower:
            # It cannot know what else was accepted under what it heard before.
            for each in (frame, kept):
                probe.send("sensors/1000", each)
            wait_for(lambda: len(follower.rejected) == 2, "the verdicts")
            assert [each.verdict for each in follower.rejected] == ["duplicate", "stale_session"]
            heard = len(node.sessions)
            wait_for(lambda: len(node.sessions) > heard + 1, "a new session ID")
            node.send("3")
            wait_for(lambda: data(follower) == ["3"], "the reading")
            wait_for(lambda: data(authority) == ["1", "2", "3"], "the readings")
            assert authority.verdicts == {"duplicate"}


def test_a_second_authority(
    protocol: MQTTProtocolVersion, broker: Mosquitto, tmp_path: Path
) -> None:
    # A life is how long the second waits when the first is gone, so it cannot be long here. What
    # a slow machine lets expire is sent again as a new reading: no one reading is needed.
    options = "session_interval = 1\nsession_life = 6"
    keyring = new_keyring(tmp_path, {"0": "1000"}, options=options)
    stores = {name: espseal.Store.memory() for name in ("first", "second")}
    received: dict[str, list[str]] = {"first": [], "second": []}

    def start(name: str) -> Reader:
        each = reader(broker, keyring, name, protocol=protocol, store=stores[name], authority=True)
        each.start()
        return each

    def end(each: Reader, name: str) -> None:
        each.stop()
        received[name] += data(each)

    with Node(broker, keyring, "0", "1000", protocol) as node:
        number = 0

        def until_read_by(*readers: Reader) -> None:
            nonlocal number
            before = [len(each.fresh) for each in readers]
            deadline = time.monotonic() + 60
            while any(len(r.fresh) <= b for r, b in zip(readers, before, strict=True)):
                assert time.monotonic() < deadline, "a reading: not within 60 s"
                number += 1
                node.send(str(number))
                time.sleep(0.05)

        def follows(each: Reader) -> bool:
            # Who mints does so once a second; who follows waits for a life without IDs.
            return (each.receiver.next_due() or 0) > 2

        running = {"first": start("first")}
        until_read_by(running["first"])
        running["second"] = start("second")
        for _ in range(2):
            until_read_by(*running.values())
            leaders = ["first", "second"]
            while len(leaders) != 1:
                wait_for(lambda: any(map(follows, running.values())), "one who follows")
                leaders = [name for name, each in running.items() if not follows(each)]
            (leader,) = leaders
            end(running.pop(leader), leader)
            (heir,) = running.values()
            wait_for(lambda: not follows(heir), "the end of a life")  # noqa: B023
            heard = len(node.sessions)
            wait_for(lambda: len(node.sessions) > heard + 1, "the heir's IDs")  # noqa: B023
            until_read_by(heir)
            running[leader] = start(leader)
        for name, each in running.items():
            end(each, name)
    for values in received.values():
        assert len(values) == len(set(values))
        assert values


def test_false_session_ids(
    protocol: MQTTProtocolVersion,
    broker: Mosquitto,
    probe: Probe,
    keyring: espseal.Keyring,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "another"
    folder.mkdir()
    # Genuine, but of another session key.
    others = espseal.Receiver(
        new_keyring(folder, {"0": "1000"}, options=LONG), espseal.Store.memory()
    )
    (foreign,) = [each.payload for each in others.publications()]
    with (
        reader(broker, keyring, "follower", protocol=protocol) as follower,
        Node(broker, keyring, "0", "1000", protocol) as node,
    ):
        false = [b"0" * 32, foreign, b"no session ID", b""]
        for number, each in enumerate(false, 1):
            probe.send(SESSION, each, retain=True)
            wait_for(lambda: follower.receiver.false_sessions == number, "the ID")  # noqa: B023
        # The node cannot know; it seals under the last that looks like one.
        wait_for(lambda: node.sessions == [b"0" * 32, foreign], "the IDs")
        node.send("false")
        wait_for(lambda: follower.verdicts == {"forged"}, "the verdict")
        # A follower answers nothing: there are no IDs but the attacker's.
        wait_for(lambda: probe.on(node.topic), "the attacker's copy")
        assert probe.on(SESSION) == false
        with reader(broker, keyring, "authority", protocol=protocol, authority=True):
            wait_for(lambda: len(node.sessions) > 2, "a true session ID")
            frame = node.send("true")
            wait_for(lambda: data(follower) == ["true"], "the reading")
            # An ID that was true brings nothing back: what it opened stays opened once.
            probe.send(SESSION, node.sessions[2], retain=True)
            probe.send("sensors/1000", frame)
            wait_for(lambda: len(follower.rejected) == 2, "the verdict")
    assert follower.rejected[-1].verdict == "duplicate"
    assert follower.receiver.false_sessions == len(false)
