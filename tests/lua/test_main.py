"""main.lua against a real broker: what is delivered, what is kept, what is refused."""

import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from broker import Mosquitto
from espseal.simulator import LuaSource, LuaVersion, Node, firmware_files

from .conftest import (
    KEYS,
    SESSION_TOPIC,
    SESSIONS,
    TOPIC,
    Host,
    Proxy,
    open_frame,
    try_open,
)

CHIP_ID = 11242238


def config(port: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any field's value
    """A quick configuration."""
    return {
        "mqtt_host": "127.0.0.1",
        "mqtt_port": port,
        "topic": TOPIC,
        "session_topic": SESSION_TOPIC,
        "keys": KEYS,
        "interval": 100,
        "session_settle": 100,
        "reconnect_min": 100,
        "reconnect_max": 400,
        **changes,
    }


def counting() -> Callable[[], int]:
    """A sensor that counts its readings from 0."""
    numbers = count()
    return lambda: next(numbers)


def says(text: str) -> Callable[[str], bool]:
    """Whether a line begins so."""
    return lambda line: line.startswith(text)


def ascending(readings: list[bytes]) -> list[bytes]:
    """What so many readings of `counting` are."""
    return [str(number).encode() for number in range(len(readings))]


def test_the_configuration_survives_rendering(
    broker: Mosquitto, host: Host, lua: LuaVersion
) -> None:
    """8-bit keys included: KEYS holds NUL, 0x80 and 0xff."""
    host.say(SESSIONS[0])
    keys = {**KEYS, "iv_key": {"hex": KEYS["iv_key"].hex()}}
    with Node(chip_id=CHIP_ID, config=config(broker.port, keys=keys), lua=lua) as node:
        assert host.wait_readings(1)[0] == b"512"
        assert f"node ID {CHIP_ID}" in node.lines


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_every_reading_arrives_once(
    broker: Mosquitto, host: Host, lua: LuaVersion, qos: int
) -> None:
    host.say(SESSIONS[0])
    fields = config(broker.port, qos=qos)
    with Node(chip_id=CHIP_ID, config=fields, lua=lua, sensor=counting()) as node:
        readings = host.wait_readings(8)
        assert readings == ascending(readings)
        assert len(host.frames) == len(set(host.frames))
        assert node.stats["dropped"] == node.stats["resent"] == node.panics == 0
        assert node.draws_before_ip == 0


def test_nothing_is_published_without_a_session(
    broker: Mosquitto, host: Host, lua: LuaVersion
) -> None:
    fields = config(broker.port, outbox=3)
    with Node(chip_id=CHIP_ID, config=fields, lua=lua, sensor=counting()) as node:
        node.wait_for(says("waiting: no session ID yet"))
        for _ in range(3):
            node.wait_for(says("dropped a reading of 1 bytes: outbox full"))
        assert (host.frames, node.stats["published"]) == ([], 0)
        host.say(SESSIONS[0])
        node.wait_for(says("published"))
        readings = [int(reading) for reading in host.wait_readings(5)]
        # The oldest were dropped and counted, none of the others was, and their order is kept.
        dropped = int(node.stats["dropped"])
        assert dropped >= 3
        assert readings[0] == dropped
        assert readings == list(range(dropped, dropped + len(readings)))


@pytest.mark.parametrize(
    "payload", [b"", b"hello", b"0" * 31, b"0" * 33, b"g" * 32, b"\0" * 32, b"0" * 31 + b"\n"]
)
def test_what_is_no_session_id_is_ignored(
    broker: Mosquitto, host: Host, lua: LuaVersion, payload: bytes
) -> None:
    with Node(chip_id=CHIP_ID, config=config(broker.port), lua=lua) as node:
        node.wait_for(says("mqtt: listening"))
        host.say(payload, retain=False)
        node.wait_for(says(f"ignored what is no session ID, {len(payload)} bytes"))
        assert node.stats["bad_sessions"] == 1
        assert host.frames == []


def test_a_false_id_that_the_host_answers_costs_no_reading(
    broker: Mosquitto, host: Host, lua: LuaVersion
) -> None:
    host.say(SESSIONS[0])
    fields = config(broker.port, session_settle=300, interval=30)
    with Node(chip_id=CHIP_ID, config=fields, lua=lua, sensor=counting()) as node:
        node.wait_for(says("published"))
        for number in range(5):
            host.say(f"{number:032x}")
            host.say(SESSIONS[0])
        host.wait_readings(20)
        readings = host.readings(SESSIONS[0])
        assert readings == ascending(readings)
        assert node.stats["sessions"] == 1


def test_a_new_session_is_taken_over(broker: Mosquitto, host: Host, lua: LuaVersion) -> None:
    host.say(SESSIONS[0])
    with Node(chip_id=CHIP_ID, config=config(broker.port), lua=lua, sensor=counting()) as node:
        node.wait_for(says("published"))
        host.say(SESSIONS[1])
        node.wait_for(says("session ID received"))
        readings = host.wait_readings(len(set(host.frames)) + 5)
        assert readings == ascending(readings)
        under_the_new = [try_open(frame, SESSIONS[1]) is not None for frame in host.frames]
        # First none, then all.
        assert under_the_new == sorted(under_the_new)
        assert {True, False} == set(under_the_new)


def test_an_old_session_is_not_used(broker: Mosquitto, host: Host, lua: LuaVersion) -> None:
    """Also not when the broker says it again: the age counts from its first time."""
    host.say(SESSIONS[0])
    fields = config(broker.port, session_max_age=1)
    with Node(chip_id=CHIP_ID, config=fields, lua=lua, sensor=counting()) as node:
        node.wait_for(says("published"))
        node.wait_for(says("waiting: no session ID that is young enough"))
        host.say(SESSIONS[0])
        published = node.stats["published"]
        time.sleep(0.5)
        assert node.stats["published"] == published
        host.say(SESSIONS[1])
        node.wait_for(says("published"))
        readings = host.wait_readings(int(published) + 5)
        assert readings == ascending(readings)


@pytest.mark.parametrize("qos", [1, 2])
def test_a_broker_restart_loses_and_doubles_nothing(
    broker: Mosquitto, host: Host, lua: LuaVersion, qos: int
) -> None:
    host.say(SESSIONS[0])
    fields = config(broker.port, qos=qos, outbox=200)
    with Node(chip_id=CHIP_ID, config=fields, lua=lua, sensor=counting()) as node:
        node.wait_for(says("published"))
        broker.stop()
        node.wait_for(says("mqtt: connection failed, reason -5"))
        broker.start()
        node.wait_for(says("mqtt: connected"))
        host.wait_connected()
        before = len(set(host.frames))
        readings = host.wait_readings(before + 10)
        assert readings == ascending(readings)
        assert (node.stats["dropped"], node.stats["resealed"], node.panics) == (0, 0, 0)
        assert node.stats["disconnects"] == 1


@pytest.mark.parametrize("qos", [1, 2])
def test_an_unknown_outcome_is_sent_again_byte_for_byte(
    host: Host, proxy: Proxy, lua: LuaVersion, qos: int
) -> None:
    host.say(SESSIONS[0])
    fields = config(proxy.port, qos=qos, interval=50)
    with Node(chip_id=CHIP_ID, config=fields, lua=lua, sensor=counting()) as node:
        node.wait_for(says("published"))
        proxy.swallow.set()
        time.sleep(0.3)  # a publish has gone out by now, and its acknowledgement has not come
        published = node.stats["published"]
        proxy.cut()
        node.wait_for(says("sending the same frame again"))
        readings = host.wait_readings(int(published) + 5)
        assert readings == ascending(readings)
        # QoS 2 holds a message back whose PUBREL never came; at QoS 1 it came twice.
        assert len(host.frames) > len(set(host.frames)) or qos == 2
        assert node.stats["resent"] == 1
        assert node.stats["resealed"] == 0


def test_after_its_session_it_is_sealed_anew(host: Host, proxy: Proxy, lua: LuaVersion) -> None:
    host.say(SESSIONS[0])
    fields = config(proxy.port, interval=300, session_max_age=1, reconnect_min=2500)
    with Node(chip_id=CHIP_ID, config=fields, lua=lua, sensor=counting()) as node:
        node.wait_for(says("published"))
        proxy.swallow.set()
        host.wait_frames(int(node.stats["published"]) + 1)
        first = host.frames[-1]
        proxy.cut()
        host.say(SESSIONS[1])
        node.wait_for(says("sealing anew"))
        host.wait_reading(open_frame(first, SESSIONS[0]), SESSIONS[1])
        assert (node.stats["resealed"], node.stats["resent"]) == (1, 0)


def test_a_silent_broker_is_left(broker: Mosquitto, host: Host, lua: LuaVersion) -> None:
    host.say(SESSIONS[0])
    fields = config(broker.port, ack_timeout=700, outbox=500)
    with Node(chip_id=CHIP_ID, config=fields, lua=lua, sensor=counting()) as node:
        node.wait_for(says("published"))
        broker.freeze(True)
        node.wait_for(says("mqtt: no acknowledgement"))
        broker.freeze(False)
        node.wait_for(says("mqtt: connected"))
        node.wait_for(says("published"))
        host.wait_connected()
        readings = host.wait_readings(len(set(host.frames)) + 5)
        assert readings == ascending(readings)
        assert node.stats["resealed"] == 0


def test_a_publish_that_never_fits_is_dropped(
    broker: Mosquitto, host: Host, lua: LuaVersion
) -> None:
    """``publish`` returns false without an error: header, topic and payload exceed 1024 bytes."""
    host.say(SESSIONS[0])
    sensor = LuaSource(
        'function() if adc.read(0) == 0 then return ("x"):rep(470) end return "short" end'
    )
    fields = config(broker.port, sensor=sensor)
    with Node(
        chip_id=CHIP_ID, config=fields, lua=lua, sensor=counting(), publish_limit=1024
    ) as node:
        for _ in range(3):
            node.wait_for(says("publish refused, topic and payload 1078 bytes"))
        node.wait_for(says("dropped a reading of 470 bytes: too long for this build of NodeMCU"))
        assert set(host.wait_readings(3)) == {b"short"}
        assert (node.stats["refused"], node.stats["dropped"]) == (3, 1)


def test_the_same_publish_fits_newer_builds(broker: Mosquitto, host: Host, lua: LuaVersion) -> None:
    host.say(SESSIONS[0])
    sensor = LuaSource('function() return ("x"):rep(470) end')
    with Node(chip_id=CHIP_ID, config=config(broker.port, sensor=sensor), lua=lua) as node:
        assert host.wait_readings(1)[0] == b"x" * 470
        assert node.stats["refused"] == 0


@pytest.mark.parametrize(
    ("reading", "code"),
    [('"5\\0"', "data_ends_in_nul"), ('("5"):rep(1000)', "frame_too_long")],
)
def test_what_cannot_be_sealed_is_dropped(
    broker: Mosquitto, host: Host, lua: LuaVersion, reading: str, code: str
) -> None:
    host.say(SESSIONS[0])
    sensor = LuaSource(f"function() return {reading} end")
    with Node(chip_id=CHIP_ID, config=config(broker.port, sensor=sensor), lua=lua) as node:
        line = node.wait_for(says("dropped"))
        assert line.endswith(": " + code)
        assert (node.stats["published"], node.panics) == (0, 0)


def test_a_sensor_may_have_nothing_to_say(broker: Mosquitto, host: Host, lua: LuaVersion) -> None:
    host.say(SESSIONS[0])
    sensor = LuaSource("function() if adc.read(0) % 2 == 1 then return adc.read(0) end end")
    fields = config(broker.port, sensor=sensor, interval=30)
    with Node(chip_id=CHIP_ID, config=fields, lua=lua, sensor=counting()) as node:
        host.wait_readings(3)
        assert node.stats["dropped"] == 0
        assert b"nil" not in host.readings()


def test_wifi_goes_and_comes_back(broker: Mosquitto, host: Host, lua: LuaVersion) -> None:
    host.say(SESSIONS[0])
    fields = config(broker.port, outbox=200)
    with Node(chip_id=CHIP_ID, config=fields, lua=lua, sensor=counting()) as node:
        node.wait_for(says("published"))
        node.wifi_down()
        node.wait_for(says("wifi: disconnected, reason 200"))
        time.sleep(0.5)
        arrived = len(set(host.frames))
        node.wifi_up()
        node.wait_for(says("wifi: IP address 192.168.4.2"))
        node.wait_for(says("published"))
        readings = host.wait_readings(arrived + 8)
        assert readings == ascending(readings)
        assert (node.stats["connects"], node.panics) == (2, 0)


def test_a_boot_without_wifi(broker: Mosquitto, host: Host, lua: LuaVersion) -> None:
    host.say(SESSIONS[0])
    with Node(chip_id=CHIP_ID, config=config(broker.port), lua=lua) as node:
        node.wifi_down()
        node.power_cycle()
        node.wait_for(says("wifi: disconnected, reason 201"))
        node.wifi_up()
        node.wait_for(says("published"))
        assert (node.panics, node.draws_before_ip) == (0, 0)


def test_a_power_cycle(broker: Mosquitto, host: Host, lua: LuaVersion) -> None:
    host.say(SESSIONS[0])
    with Node(chip_id=CHIP_ID, config=config(broker.port), lua=lua) as node:
        node.wait_for(says("published"))
        node.power_cycle()
        node.wait_for(says("node ID"))
        node.wait_for(says("published"))
        host.wait_readings(3)
        assert (node.boots, node.panics, node.draws_before_ip) == (2, 0, 0)
        # No IV twice: the same reading never gives the same frame.
        assert len(host.frames) == len(set(host.frames))


def test_twenty_nodes_share_a_session(broker: Mosquitto, host: Host) -> None:
    host.say(SESSIONS[0])
    nodes = [Node(chip_id=number, config=config(broker.port)) for number in range(1, 21)]
    try:
        for node in nodes:
            node.start()
        for node in nodes:
            node.wait_for(says("published"))
            node.wait_for(says("published"))
        assert len(host.wait_readings(40)) >= 40
    finally:
        for node in nodes:
            node.close()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"keys": {**KEYS, "passphrase": "mypassphrase"}}, "stopped: article_keys (passphrase)"),
        ({"keys": {**KEYS, "iv_key": "2345678901abcdef"}}, "stopped: article_keys (iv_key)"),
        ({"keys": {**KEYS, "data_key": "0123456789abcdef"}}, "stopped: article_keys (data_key)"),
        ({"keys": {**KEYS, "static_iv": "abcdef2345678901"}}, "stopped: article_keys (static_iv)"),
        ({"keys": {**KEYS, "static_iv": "short"}}, "stopped: wrong_key_length (static_iv)"),
        ({"keys": None}, "stopped: missing_field (iv_key)"),
        ({"topic": None}, "stopped: missing_field (topic): see config.example.lua"),
        ({"layout": "port"}, "stopped: invalid_value (layout)"),
        ({"interval": 0}, "stopped: invalid_value (interval): 1 to 6870947 ms"),
        ({"node_id": "a>b"}, "stopped: invalid_node_id (node_id)"),
        ({"to": "a>b"}, "stopped: invalid_node_id (to)"),
        # With the chip ID, 8 digits, 16 bytes.
        ({"to": "1234567"}, "stopped: invalid_node_id (to)"),
    ],
)
def test_it_stops_on_a_configuration_that_cannot_be_meant(
    lua: LuaVersion, changes: dict[str, Any], line: str
) -> None:
    with Node(chip_id=CHIP_ID, config=config(1, **changes), lua=lua) as node:
        node.wait_for(lambda found: found == line)
        assert not any(found.startswith("wifi") for found in node.lines)
        assert node.panics == 0


def test_article_keys_can_be_allowed(broker: Mosquitto, lua: LuaVersion) -> None:
    keys = {
        "iv_key": "2345678901abcdef",
        "data_key": "0123456789abcdef",
        "static_iv": "abcdef2345678901",
        "passphrase": "mypassphrase",
    }
    fields = config(broker.port, keys=keys, allow_article_keys=True)
    with Node(chip_id=CHIP_ID, config=fields, lua=lua) as node:
        node.wait_for(says("mqtt: connected"))


def test_the_example_is_complete_and_refused(lua: LuaVersion, tmp_path: Path) -> None:
    for name, text in firmware_files().items():
        (tmp_path / name).write_bytes(text)
    (tmp_path / "config.lua").write_bytes(firmware_files()["config.example.lua"])
    with Node(chip_id=CHIP_ID, config=None, lua=lua, firmware=tmp_path) as node:
        node.wait_for(lambda line: line == "stopped: placeholder_keys (iv_key)")
        node.wait_for(says("this key is the example's"))


def test_no_configuration(lua: LuaVersion) -> None:
    with Node(chip_id=CHIP_ID, config=None, lua=lua) as node:
        node.wait_for(lambda line: line == "stopped: no config.lua: see config.example.lua")
        assert node.panics == 0


def test_init_starts_main_after_three_seconds(lua: LuaVersion) -> None:
    start = time.monotonic()
    with Node(chip_id=CHIP_ID, config=config(1), lua=lua, startup="init.lua") as node:
        node.wait_for(lambda line: line == "starting in 3 s; boot:stop() prevents it")
        node.wait_for(says("node ID"))
        assert 2.9 < time.monotonic() - start < 6
