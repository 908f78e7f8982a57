"""main_sealed.lua against a real broker: the hello, readings, commands, the ratchet."""

import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import count
from typing import Any

import pytest

from broker import Mosquitto
from espseal.simulator import LuaSource, LuaVersion, Node

from .conftest import Proxy
from .sealed_host import (
    ADDRESS,
    BEACON_TOPIC,
    DEVICE_KEY,
    Frame,
    Kind,
    Op,
    SealedHost,
    command,
    key_of,
)

RECORDS = ("espseal.1", "espseal.2")


def config(port: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any field's value
    """A quick configuration."""
    return {
        "mqtt_host": "127.0.0.1",
        "mqtt_port": port,
        "address": ADDRESS.hex(),
        "device_key": DEVICE_KEY.hex(),
        "epoch": 0,
        "beacon_topic": BEACON_TOPIC,
        "interval": 100,
        "session_settle": 50,
        "hello_min": 200,
        "hello_max": 400,
        "reconnect_min": 100,
        "reconnect_max": 400,
        "outbox": 200,
        **changes,
    }


def device(port: int, lua: LuaVersion, **changes: Any) -> Node:  # noqa: ANN401
    """A device with a sensor that counts."""
    numbers = count()
    return Node(
        chip_id=7,
        config=config(port, **changes),
        lua=lua,
        startup="main_sealed.lua",
        sensor=lambda: next(numbers),
    )


def says(text: str) -> Callable[[str], bool]:
    """Whether a line begins so."""
    return lambda line: line.startswith(text)


def ascending(readings: list[bytes]) -> list[bytes]:
    """What so many readings are, from 0."""
    return [str(number).encode() for number in range(len(readings))]


def verdicts(host: SealedHost, kind: Kind) -> set[str]:
    """Those on all frames of a kind."""
    return {verdict for verdict, frame in host.arrived if frame.kind is kind}


def wipe(node: Node) -> None:
    """Takes its record, so that it begins again with config.lua and counter 1."""
    node.reflash(dict.fromkeys(RECORDS))


@pytest.fixture
def host(broker: Mosquitto) -> Iterator[SealedHost]:
    """A host with a beacon."""
    with SealedHost(broker.port) as made:
        made.show_beacon()
        yield made


PRINTS = LuaSource('function(data) print("obeyed " .. data) end')
"""An ``on_command``."""


def obeyed(node: Node) -> list[str]:
    """What `PRINTS` was called with."""
    return [line.removeprefix("obeyed ") for line in node.lines if line.startswith("obeyed ")]


# Readings.


def test_every_reading_arrives_once(broker: Mosquitto, host: SealedHost, lua: LuaVersion) -> None:
    with device(broker.port, lua, hello_min=5000) as node:
        readings = host.wait_readings(8)
        assert readings == ascending(readings)
        assert {verdict for verdict, _ in host.arrived} == {"fresh"}
        assert host.firmware == f"espseal-nodemcu {version('espseal')}"
        assert (node.panics, node.draws_before_ip, node.stats["dropped"]) == (0, 0, 0)
        # The hello, bound to the beacon; the acknowledgement; readings, unbound.
        kinds = [(frame.kind, frame.session) for _, frame in host.arrived]
        assert kinds[0] == (Kind.HELLO, host.beacons[0])
        assert kinds[1] == (Kind.CONTROL, host.session)
        assert set(kinds[2:]) == {(Kind.DATA, b"")}


def test_readings_wait_for_the_welcome(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    host.welcoming = False
    with device(broker.port, lua) as node:
        host.wait_hello(3)
        assert host.readings() == []
        # The same session, a new counter each time.
        assert len({frame.plaintext for frame in host.hellos()}) == 1
        counters = [frame.counter for frame in host.hellos()]
        assert counters == sorted(set(counters))
        host.welcoming = True
        readings = host.wait_readings(8)
        assert readings == ascending(readings)
        assert node.stats["welcomes"] >= 1


def test_or_for_so_long(broker: Mosquitto, host: SealedHost, lua: LuaVersion) -> None:
    """A host that is away answers later; the broker keeps the readings for it, and they are bound
    to a beacon, or a host without a window could not take them."""
    host.welcoming = False
    with device(broker.port, lua, hold=600):
        readings = host.wait_readings(5)
        assert readings == ascending(readings)
        sessions = {f.session for _, f in host.arrived if f.kind is Kind.DATA}
        assert sessions == {host.beacons[0]}
        host.welcoming = True
        host.wait_welcomed()
        host.wait_readings(len(host.readings()) + 5)
        assert host.readings() == ascending(host.readings())
        assert host.arrived[-1][1].session == b""


def test_a_bound_frame_is_sealed_anew_when_its_beacon_is_over(
    proxy: Proxy, host: SealedHost
) -> None:
    host.welcoming = False
    age, pause = 4, 6000
    fields = {"session_max_age": age, "reconnect_min": pause, "reconnect_max": pause}
    with device(proxy.port, "5.3", hold=300, **fields) as node:
        host.wait_readings(2)
        lose_an_acknowledgement(proxy, host, node)
        assert host.arrived[-1][1].session != b""
        node.wait_for(says("sealing anew: the first frame would be refused"), timeout=30)
        node.wait_for(says("published"))
        assert node.stats["resealed"] >= 1


@pytest.mark.parametrize("qos", [1, 2])
def test_a_broker_restart_loses_and_doubles_nothing(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion, qos: int
) -> None:
    with device(broker.port, lua, qos=qos) as node:
        host.wait_readings(3)
        broker.stop()
        node.wait_for(says("mqtt: connection failed"))
        broker.start()
        node.wait_for(says("mqtt: listening"))
        before = len(host.readings())
        readings = host.wait_readings(before + 10)
        assert readings == ascending(readings)
        assert (node.stats["dropped"], node.stats["resealed"], node.panics) == (0, 0, 0)


def lose_an_acknowledgement(proxy: Proxy, host: SealedHost, node: Node) -> None:
    """Cuts the connection when a reading has arrived of which the device does not know it."""
    proxy.swallow.set()
    settled = False
    while not settled:
        # One that was on its way may still arrive.
        published = node.stats["published"]
        host.wait_readings(int(published) + 1)
        time.sleep(0.2)
        settled = node.stats["published"] == published
    proxy.cut()


def test_an_unknown_outcome_is_sent_again_byte_for_byte(
    proxy: Proxy, host: SealedHost, lua: LuaVersion
) -> None:
    with device(proxy.port, lua, interval=50) as node:
        host.wait_readings(3)
        lose_an_acknowledgement(proxy, host, node)
        node.wait_for(says("sending the same frame again"))
        readings = host.wait_readings(len(host.readings()) + 8)
        assert readings == ascending(readings)
        assert len(host.payloads) > len(set(host.payloads))
        # Of each counter there is one frame.
        counters = {payload[12:20] for payload in host.payloads}
        assert len(counters) == len(set(host.payloads))


def test_each_connection_begins_with_a_hello_for_another_session(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    with device(broker.port, lua) as node:
        host.wait_welcomed()
        first = host.session
        node.wifi_down()
        node.wait_for(says("wifi: disconnected"))
        node.wifi_up()
        host.wait_other_session(first)
        readings = host.wait_readings(len(host.readings()) + 5)
        assert readings == ascending(readings)


def test_a_failing_flash_stops_readings_and_loses_none(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    sensor = LuaSource(
        """(function()
          local open, number = file.open, -1
          function file.open(name, mode)
            if broken and mode == "w" then return nil end
            return open(name, mode)
          end
          return function()
            number = number + 1
            broken = number > 5 and number < 15
            return number
          end
        end)()"""
    )
    with device(broker.port, lua, sensor=sensor, reserve=2) as node:
        node.wait_for(says("waiting: storage_failed"))
        readings = host.wait_readings(20)
        assert readings == ascending(readings)
        assert node.stats["dropped"] == 0


# The counter: wiped, withheld, behind.


def test_a_device_that_was_wiped_comes_back_by_itself(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    with device(broker.port, lua) as node:
        host.wait_readings(10)
        head, captured = host.head, list(host.payloads)
        assert head is not None
        wipe(node)
        host.wait(lambda: (host.head or 0) > head + 2**19, "it does not come back")
        fresh = len(host.readings())
        host.wait_readings(fresh + 5)
        # Its first hello alone was below the head.
        assert verdicts(host, Kind.DATA) == {"fresh"}
        assert verdicts(host, Kind.HELLO) >= {"fresh"}
        assert "welcome, further up" in node.lines
        node.close()
        before = len(host.arrived)
        for payload in captured:
            host.judge(payload)
        assert {verdict for verdict, _ in host.arrived[before:]} == {"replayed"}
        # And above every counter that it ever used, also after a loss of power.


def test_the_floor_outlives_a_loss_of_power(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    host.head = 2**40
    with device(broker.port, lua) as node:
        host.wait_readings(3)
        assert (host.head or 0) > 2**40 + 2**20
        node.power_cycle()
        host.wait_readings(len(host.readings()) + 3)
        assert verdicts(host, Kind.DATA) == {"fresh"}
        assert node.lines.count("welcome, further up") == 1


def test_frames_that_someone_withholds_stay_below_the_floor(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    """40 frames are caught on their way; the device is wiped and comes back."""
    with device(broker.port, lua, interval=20) as node:
        host.wait_readings(3)
        host.holding, caught_from = True, len(host.payloads)
        host.wait(lambda: len(host.payloads) >= caught_from + 40, "no 40 frames")
        node.close()
        caught = host.payloads[caught_from:]
    host.holding = False
    with device(broker.port, lua):
        host.wait(lambda: (host.head or 0) > 2**19, "it does not come back")
        fresh = len(host.readings())
        host.wait_readings(fresh + 1)
        before = len(host.arrived)
        for payload in caught:
            host.judge(payload)
        assert {verdict for verdict, _ in host.arrived[before:]} <= {"replayed", "fresh"}
        late = [f for v, f in host.arrived[before:] if v == "fresh"]
        assert all(frame.counter > 2**19 for frame in late)


def test_a_power_loss_after_each_reading_repeats_no_counter(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    with device(broker.port, lua, reserve=3) as node:
        for _ in range(4):
            host.wait_readings(len(host.readings()) + 2)
            node.power_cycle()
        host.wait_readings(len(host.readings()) + 2)
        assert verdicts(host, Kind.DATA) == {"fresh"}
        counters = {payload[12:20] for payload in host.payloads}
        assert len(counters) == len(set(host.payloads))


# Sessions and hellos.


def test_swapped_hellos(broker: Mosquitto, host: SealedHost, lua: LuaVersion) -> None:
    host.holding = True
    with device(broker.port, lua, on_command=PRINTS) as node:
        host.wait(lambda: len(host.payloads) >= 2, "no two hellos")
        host.holding = False
        for payload in reversed(host.payloads[:2]):
            host.judge(payload)
        host.wait_welcomed()
        host.wait_acknowledged(host.command(b"on"))
        readings = host.wait_readings(5)
        assert readings == ascending(readings)
        assert obeyed(node) == ["on"]


def test_a_hello_of_the_life_before_comes_late(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    """Its welcome opens nothing on the device, and the host keeps the session that it has."""
    host.holding = True
    with device(broker.port, lua, on_command=PRINTS) as node:
        host.wait(lambda: len(host.payloads) >= 1, "no hello")
        old = host.payloads[0]
        node.power_cycle()
        host.wait(lambda: len({p[12:18] for p in host.payloads}) > 0, "no hello")
        node.wait_for(says("mqtt: listening"))
        node.wait_for(says("mqtt: listening"))
        host.holding = False
        host.wait_welcomed()
        session = host.session
        host.judge(old)
        node.wait_for(lambda line: line == "refused a frame: forged")
        host.wait_acknowledged(host.command(b"on"))
        assert host.session == session
        assert obeyed(node) == ["on"]


def test_a_lost_welcome_leaves_the_session_before(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    with device(broker.port, lua, on_command=PRINTS) as node:
        host.wait_welcomed()
        first = host.session
        host.welcoming = False
        hellos = len(host.hellos())
        host.ask()
        host.wait_hello(hellos + 2)
        host.wait_acknowledged(host.command(b"still"))
        host.welcoming = True
        host.wait_other_session(first)
        host.wait_acknowledged(host.command(b"now"))
        assert first is not None
        host.say(command(b"too late", 99, first))
        node.wait_for(lambda line: line == "refused a frame: stale_session")
        assert obeyed(node) == ["still", "now"]


def test_who_asks_for_a_hello_gets_one_a_minute(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    with device(broker.port, lua, hello_min=20000) as node:
        host.wait_welcomed()
        hellos = len(host.hellos())
        for _ in range(5):
            host.ask()
        host.wait_hello(hellos + 1)
        host.wait_readings(len(host.readings()) + 5)
        assert len(host.hellos()) == hellos + 1
        assert node.panics == 0


def test_a_new_session_every_interval(broker: Mosquitto, host: SealedHost, lua: LuaVersion) -> None:
    with device(broker.port, lua, hello_interval=1):
        sessions = set()

        def three() -> bool:
            sessions.add(host.session)
            return len(sessions - {None}) >= 3

        host.wait(three, "no three sessions")


def constant_random(port: int, lua: LuaVersion) -> Node:
    """A device whose generator gives one number, always."""
    sensor = LuaSource(
        "(function() node.random = function() return 7 end return function() return 5 end end)()"
    )
    return device(port, lua, sensor=sensor, on_command=PRINTS)


def test_a_generator_that_repeats_draws_another_session(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    """After a reboot, and after a wipe, when the counter repeats as well."""
    with constant_random(broker.port, lua) as node:
        host.wait_welcomed()
        first = host.session
        captured = host.command(b"captured")
        host.wait_acknowledged(captured)
        node.power_cycle()
        host.wait_other_session(first)
        host.say(captured)
        node.wait_for(lambda line: line == "refused a frame: forged")
        second = host.session
        host.show_beacon()
        wipe(node)
        host.wait(lambda: host.session not in (first, second), "no other session")
        host.say(captured)
        node.wait_for(lambda line: line == "refused a frame: forged")
        assert obeyed(node) == ["captured"]


def test_without_a_beacon_it_is_welcomed_and_takes_no_command(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    host.head = 0
    with device(broker.port, lua, beacon_topic=None, on_command=PRINTS) as node:
        host.wait_welcomed()
        assert {frame.session for frame in host.hellos()} == {b""}
        host.command(b"on")
        node.wait_for(lambda line: line == "refused a frame: stale_session")
        readings = host.wait_readings(3)
        assert readings == ascending(readings)
        assert obeyed(node) == []


def test_a_beacon_that_comes_late(broker: Mosquitto, lua: LuaVersion) -> None:
    """The first hello is not bound, and the host does not know the device: it cannot answer."""
    with SealedHost(broker.port) as host, device(broker.port, lua, on_command=PRINTS) as node:
        host.wait_hello(1)
        assert host.arrived[0][0] == "stale_session"
        host.show_beacon()
        host.wait_welcomed()
        host.wait_acknowledged(host.command(b"on"))
        assert obeyed(node) == ["on"]


def test_a_false_beacon_that_the_host_answers(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    attacker = b"f" * 32
    with device(broker.port, lua, session_settle=400) as node:
        node.wait_for(says("mqtt: listening"))
        for _ in range(3):
            host.publish(BEACON_TOPIC, attacker, retain=True)
            host.publish(BEACON_TOPIC, host.beacons[-1].hex().encode(), retain=True)
        host.wait_welcomed()
        assert host.arrived[0][0] == "fresh"


def test_what_is_no_beacon_is_ignored(broker: Mosquitto, host: SealedHost, lua: LuaVersion) -> None:
    with device(broker.port, lua) as node:
        host.wait_welcomed()
        for payload in (b"", b"x", b"g" * 32, b"0" * 31, b"0" * 33, bytes(16)):
            host.publish(BEACON_TOPIC, payload)
            node.wait_for(says(f"ignored what is no session ID, {len(payload)} bytes"))
        assert node.panics == 0


# Commands.


def test_commands_are_obeyed_once_and_acknowledged(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    with device(broker.port, lua, on_command=PRINTS) as node:
        host.wait_welcomed()
        first = host.command(b"on")
        host.wait_acknowledged(first)
        # The acknowledgement was lost; the host sends the very frame again.
        host.acknowledged.clear()
        host.say(first)
        host.wait_acknowledged(first)
        host.wait_acknowledged(host.command(b"off"))
        host.say(first)
        node.wait_for(lambda line: line == "refused a frame: replayed")
        assert obeyed(node) == ["on", "off"]
        assert (node.stats["commands"], node.stats["duplicate"]) == (2, 1)


def test_what_is_no_command_is_refused(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    with device(broker.port, lua, on_command=PRINTS) as node:
        host.wait_welcomed()
        assert host.session is not None
        good = command(b"on", 50, host.session)
        for frame, verdict in (
            (b"garbage", "malformed"),
            (good[:-1], "forged"),
            (Frame(Kind.DATA, True, 0, 50, b"", b"on").seal(), "stale_session"),
            (
                Frame(Kind.DATA, True, 0, 50, host.session, b"on", b"another.").seal(),
                "unknown_device",
            ),
            (Frame(Kind.DATA, False, 0, 50, host.session, b"on").seal(), "wrong_direction"),
            (command(b"on", 50, host.session, 1), "wrong_epoch"),
            (host.payloads[-1], "wrong_direction"),
        ):
            host.say(frame)
            node.wait_for(says(f"refused a frame: {verdict}"))
        assert obeyed(node) == []
        host.say(good)
        node.wait_for(lambda line: line == "obeyed on")


def test_an_error_in_on_command_is_survived(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    with device(broker.port, lua, on_command=LuaSource("function() error('oh no') end")) as node:
        host.wait_welcomed()
        host.wait_acknowledged(host.command(b"on"))
        node.wait_for(says("on_command failed: "))
        assert (node.stats["command_errors"], node.panics) == (1, 0)


def test_without_on_command_nothing_is_acknowledged(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    with device(broker.port, lua) as node:
        host.wait_welcomed()
        frame = host.command(b"on")
        node.wait_for(says("a command, and config.lua has no on_command"))
        host.wait_readings(len(host.readings()) + 3)
        assert frame[20:36] not in host.acknowledged


@pytest.mark.parametrize(
    ("on_mode", "answers"),
    [(None, [0, 0]), (LuaSource("function(wanted) return wanted or 7 end"), [7, 3])],
)
def test_the_mode(
    broker: Mosquitto,
    host: SealedHost,
    lua: LuaVersion,
    on_mode: LuaSource | None,
    answers: list[int],
) -> None:
    with device(broker.port, lua, on_mode=on_mode):
        host.wait_welcomed()
        host.wait_acknowledged(host.control(Op.QUERY_MODE))
        host.wait_acknowledged(host.control(Op.SET_MODE, b"\3"))

        def modes() -> list[int]:
            plain = [f.plaintext for _, f in host.arrived if f.kind is Kind.CONTROL]
            return [text[1] for text in plain if text[0] == Op.MODE]

        host.wait(lambda: len(modes()) >= 2, "no two answers")
        assert modes() == answers


def test_control_frames_that_do_not_parse_are_counted(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    bodies = [b"", b"\0", b"\7", b"\xff\0\0", b"\1\0", b"\3" + bytes(7)]
    # And what only a device says.
    bodies += [b"\2" + bytes(16), b"\6\0"]
    with device(broker.port, lua, on_command=PRINTS) as node:
        host.wait_welcomed()
        assert host.session is not None
        for counter, body in enumerate(bodies, 50):
            host.say(Frame(Kind.CONTROL, True, 0, counter, host.session, body).seal())
        host.say(command(b"next", 99, host.session))
        node.wait_for(lambda line: line == "obeyed next")
        assert (node.stats["ignored"], node.panics) == (len(bodies), 0)


def test_a_flood_of_garbage_changes_nothing(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    with device(broker.port, lua, on_command=PRINTS) as node:
        host.wait_welcomed()
        for number in range(200):
            host.say(b"\xf5\3\0\0" + ADDRESS + number.to_bytes(8, "big") + bytes(30 + number))
        host.wait_acknowledged(host.command(b"on"))
        assert node.stats["forged"] + node.stats["malformed"] == 200
        readings = host.wait_readings(len(host.readings()) + 3)
        assert readings == ascending(readings)


# The ratchet.


def test_a_ratchet(broker: Mosquitto, host: SealedHost, lua: LuaVersion) -> None:
    with device(broker.port, lua, on_command=PRINTS) as node:
        host.wait_welcomed()
        frame = host.control(Op.RATCHET, b"\0\1")
        host.wait_acknowledged(frame)
        acknowledgement = next(
            f
            for _, f in host.arrived
            if f.kind is Kind.CONTROL and f.plaintext == bytes([Op.ACK]) + frame[20:36]
        )
        assert acknowledgement.epoch == 1
        # Again, sealed under the new epoch: the acknowledgement may have been lost.
        host.wait_acknowledged(host.control(Op.RATCHET, b"\0\1"))
        # The one that was sealed under the old epoch opens no more.
        host.say(frame)
        node.wait_for(lambda line: line == "refused a frame: wrong_epoch")
        host.wait_acknowledged(host.command(b"on"))
        readings = host.wait_readings(len(host.readings()) + 3)
        assert readings == ascending(readings)
        assert node.lines.count("epoch 1") == 1
        assert obeyed(node) == ["on"]
        node.power_cycle()
        node.wait_for(says(f"address {ADDRESS.hex()}, epoch 1"))
        host.wait_readings(len(host.readings()) + 2)
        assert host.arrived[-1][1].epoch == 1


def test_after_a_ratchet_no_file_holds_the_key_before(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    with device(broker.port, lua) as node:
        host.wait_welcomed()
        assert DEVICE_KEY.hex().encode() in node.flash["config.lua"]
        host.wait_acknowledged(host.control(Op.RATCHET, b"\0\2"))
        for name, text in node.flash.items():
            for epoch in (0, 1):
                assert key_of(epoch) not in text, name
                assert key_of(epoch).hex().encode() not in text, name
        assert key_of(2) in node.flash["espseal.1"] + node.flash.get("espseal.2", b"")
        node.power_cycle()
        host.wait_readings(len(host.readings()) + 3)
        assert host.arrived[-1][1].epoch == 2


@pytest.mark.parametrize(("target", "epoch"), [(3, 3), (4, 0), (0xFFFF, 0), (0, 0)])
def test_a_ratchet_goes_as_far_as_a_host_believes(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion, target: int, epoch: int
) -> None:
    with device(broker.port, lua) as node:
        host.wait_welcomed()
        frame = host.control(Op.RATCHET, target.to_bytes(2, "big"))
        if target <= 3:
            host.wait_acknowledged(frame)
        else:
            node.wait_for(says("ratchet refused"))
        host.wait_readings(len(host.readings()) + 3)
        assert host.arrived[-1][1].epoch == epoch
        assert (frame[20:36] in host.acknowledged) == (target <= 3)


def test_a_ratchet_that_flash_does_not_take_is_not_acknowledged(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    sensor = LuaSource(
        """(function()
          local open = file.open
          function file.open(name, mode)
            if broken and mode == "w" then return nil end
            return open(name, mode)
          end
          return function() return adc.read(0) end
        end)()"""
    )
    breaks = LuaSource('function(data) broken = data == "break" end')
    with device(broker.port, lua, sensor=sensor, on_command=breaks) as node:
        host.wait_welcomed()
        host.wait_acknowledged(host.command(b"break"))
        frame = host.control(Op.RATCHET, b"\0\1")
        node.wait_for(says("ratchet not taken: storage_failed"))
        host.wait_acknowledged(host.command(b"mend"))
        assert frame[20:36] not in host.acknowledged
        host.wait_acknowledged(host.control(Op.RATCHET, b"\0\1"))
        host.wait_readings(len(host.readings()) + 1)
        assert host.arrived[-1][1].epoch == 1


def test_a_lost_acknowledgement_of_a_ratchet(
    proxy: Proxy, host: SealedHost, lua: LuaVersion
) -> None:
    """The connection dies as it goes out: the device sends it again, byte for byte."""
    with device(proxy.port, lua) as node:
        host.wait_welcomed()
        frame = host.control(Op.RATCHET, b"\0\1")
        node.wait_for(lambda line: line == "epoch 1")
        proxy.cut()
        host.wait_acknowledged(frame)
        host.wait_readings(len(host.readings()) + 3)
        assert host.arrived[-1][1].epoch == 1


# Deep sleep.


def test_a_device_that_sleeps(broker: Mosquitto, host: SealedHost, lua: LuaVersion) -> None:
    with device(broker.port, lua, sleep=100, listen=200) as node:
        readings = host.wait_readings(4)
        assert readings == ascending(readings)
        assert verdicts(host, Kind.DATA) == {"fresh"}
        counters = [int.from_bytes(payload[12:20], "big") for payload in host.payloads]
        # RTC memory kept it: none was left out.
        assert counters == list(range(1, len(counters) + 1))
        assert node.boots >= 4
        node.power_cycle()
        host.wait_readings(len(host.readings()) + 2)
        assert verdicts(host, Kind.DATA) == {"fresh"}
        assert node.panics == 0


def test_a_device_that_sleeps_hears_commands_when_it_wakes(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    with device(broker.port, lua, sleep=100, listen=2000, on_command=PRINTS) as node:
        session = None
        for number in range(2):
            session = host.wait_other_session(session)
            host.wait_acknowledged(host.command(b"%d" % number))
        assert obeyed(node) == ["0", "1"]


def test_a_broker_that_is_away_does_not_empty_the_battery(lua: LuaVersion) -> None:
    with device(1, lua, sleep=100, awake=500) as node:
        node.wait_for(says("sleeping for 100 ms"))
        node.wait_for(says("sleeping for 100 ms"))
        assert node.panics == 0


def test_frames_of_another_key_are_forged(
    broker: Mosquitto, host: SealedHost, lua: LuaVersion
) -> None:
    """This host's own eyes."""
    with device(broker.port, lua, device_key="ab" * 32):
        host.wait(lambda: len(host.payloads) >= 2, "nothing came")
        assert host.arrived == []
