"""The examples, as they are, on boards of stubs: over a real Mosquitto to the Python receiver."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import espseal
from broker import Mosquitto
from espseal.cli.provision import arduino, as_json
from espseal.cli.provision.surroundings import Surroundings
from support import wait_for

from .conftest import LIBRARY, run
from .hosting import Host
from .sketch import Sketch

FAST = "-DINTERVAL_MS=100"


@pytest.fixture
def board(tmp_path: Path) -> Path:
    folder = tmp_path / "board"
    folder.mkdir()
    return folder


@pytest.fixture
def host(broker: Mosquitto, keyring: espseal.Keyring, tmp_path: Path) -> Iterator[Host]:
    with Host(broker, keyring, tmp_path) as host:
        yield host


def configuration(keyring: espseal.Keyring, broker: Mosquitto) -> dict[str, str]:
    """What `espseal provision lamp --format arduino` writes."""
    around = Surroundings(mqtt_host=broker.host, mqtt_port=broker.port, wifi_ssid="house")
    return {"espseal_config.h": arduino.render(keyring.provision("lamp"), around)}


@pytest.fixture
def sensor(board: Path, keyring: espseal.Keyring, broker: Mosquitto) -> Sketch:
    return Sketch(board, "Sensor", configuration(keyring, broker), FAST)


def test_the_examples_refuse_to_run_as_they_come(board: Path) -> None:
    with Sketch(board, "Sensor", {"espseal_config.h": placeholder("Sensor")}, FAST) as sketch:
        wait_for(lambda: sketch.said("not published: not_begun"), "a reading that is refused")
        assert sketch.lines[0] == "espseal: placeholder_keys"


def placeholder(example: str) -> str:
    """The file that lies beside the example."""
    return (LIBRARY / "examples" / example / "espseal_config.h").read_text()


def test_readings_arrive(host: Host, sensor: Sketch) -> None:
    with sensor:
        wait_for(lambda: len(host.readings) >= 5, "five readings")
    assert sensor.lines[0] == "espseal: ok"
    assert {message.device for message in host.fresh} == {"lamp"}
    # None lost, none twice, in order; what the first are depends on when the host was met.
    numbers = [int(reading) for reading in host.readings]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert host.verdicts() <= {"fresh", "stale_session"}


def test_readings_wait_for_the_host_and_the_broker(
    broker: Mosquitto, keyring: espseal.Keyring, tmp_path: Path, sensor: Sketch
) -> None:
    with Host(broker, keyring, tmp_path) as host, sensor:
        wait_for(lambda: len(host.readings) >= 3, "readings")
        broker.stop()
        broker.start()
        met = len(host.readings)
        wait_for(lambda: len(host.readings) >= met + 10, "readings after the outage")
        numbers = [int(reading) for reading in host.readings]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_board_that_loses_its_power_goes_on(host: Host, sensor: Sketch) -> None:
    counters: list[int] = []
    for _ in range(3):
        before = len(host.fresh)
        with sensor:
            wait_for(lambda before=before: len(host.fresh) > before + 1, "readings")  # type: ignore[misc]
        sensor.forget("rtc.bin")
    counters = [message.counter or 0 for message in host.fresh]
    assert counters == sorted(set(counters))


def test_a_board_that_lost_its_flash_comes_back_by_itself(host: Host, sensor: Sketch) -> None:
    with sensor:
        wait_for(lambda: len(host.fresh) >= 3, "readings")
    captured = list(host.frames)
    before = len(host.fresh)
    sensor.forget("rtc.bin", "flash.bin")
    with sensor:
        wait_for(lambda: len(host.fresh) >= before + 3, "readings after the wipe")
    counters = [message.counter or 0 for message in host.fresh]
    assert counters == sorted(set(counters))
    # And all that was captured stays old.
    accepted = len(host.fresh)
    for topic, frame in captured:
        host.say(topic, frame)
    wait_for(lambda: len(host.messages) >= len(captured), "the replays")
    assert len(host.fresh) == accepted


def test_deep_sleep_writes_no_flash(
    host: Host, board: Path, keyring: espseal.Keyring, broker: Mosquitto
) -> None:
    sketch = Sketch(board, "DeepSleepSensor", configuration(keyring, broker))
    flashes = []
    for wake in range(4):
        sketch.on()
        assert sketch.wait() == 42, sketch.lines
        flashes.append(sketch.flash)
        wait_for(lambda wake=wake: len(host.fresh) > wake, "a reading")  # type: ignore[misc]
    assert sketch.said("deep sleep for 600 s") == 4
    # The first start provisions, and reserves counters.
    assert len(set(flashes[1:])) == 1
    counters = [message.counter or 0 for message in host.fresh]
    assert counters[1:] == list(range(counters[1], counters[1] + 3))
    # The battery is changed.
    sketch.forget("rtc.bin")
    sketch.on()
    assert sketch.wait() == 42
    wait_for(lambda: len(host.fresh) == 5, "a reading")
    assert (host.fresh[-1].counter or 0) > counters[-1]


@pytest.fixture
def relay(board: Path, keyring: espseal.Keyring, broker: Mosquitto, host: Host) -> Iterator[Sketch]:
    with Sketch(board, "Relay", configuration(keyring, broker)) as sketch:
        wait_for(lambda: host.sender.is_ready("lamp"), "a session of the device")
        yield sketch


def test_commands_switch_the_relay(host: Host, relay: Sketch) -> None:
    for number, (command, level) in enumerate([("on", 1), ("off", 0), ("on", 1)]):
        sent = host.publish(host.sender.seal("lamp", command))
        wait_for(lambda tag=sent.tag: host.acknowledged(tag), "the acknowledgement")  # type: ignore[misc]
        wait_for(
            lambda number=number: len(host.readings) > number,  # type: ignore[misc]
            "the reading that says so",
        )
        assert host.readings[-1] == f"relay={command}"
        assert [line for line in relay.lines if line.startswith("pin")][-1] == f"pin 5 is {level}"


def test_nobody_else_switches_it(host: Host, relay: Sketch) -> None:
    sent = host.publish(host.sender.seal("lamp", "on"))
    wait_for(lambda: relay.said("pin 5 is 1") == 1, "the command")
    held_back = host.sender.seal("lamp", "off")
    host.publish(host.sender.seal("lamp", "on"))
    wait_for(lambda: relay.said("pin 5 is 1") == 2, "the next command")
    frame = bytearray(sent.payload)
    frame[-1] ^= 1
    up = next(frame for topic, frame in host.frames if topic.endswith("/up"))
    for payload in (sent.payload, held_back.payload, bytes(frame), up, b"on", b""):
        host.say(sent.topic, payload)
    last = host.publish(host.sender.seal("lamp", "off"))
    wait_for(lambda: host.acknowledged(last.tag), "the last command")
    assert relay.said("pin 5 is 1") == 2
    assert relay.said("pin 5 is 0") == 1


def test_the_ratchet_overwrites_the_key(
    host: Host, relay: Sketch, keyring: espseal.Keyring
) -> None:
    key = keyring.provision("lamp").device_key.expose()
    assert key in relay.flash
    sent = host.publish(host.sender.ratchet("lamp"))
    wait_for(lambda: host.acknowledged(sent.tag), "the acknowledgement")
    assert key not in relay.flash
    host.publish(host.sender.seal("lamp", "on"))
    wait_for(lambda: host.readings, "the reading that says so")
    assert host.fresh[-1].epoch == 1
    # The sketch still carries the first key: flash counts.
    relay.off()
    relay.on()
    wait_for(lambda: host.messages[-1].kind == "control", "the next welcome")
    assert host.messages[-1].epoch == 1


def test_a_mode_is_set_and_told(host: Host, relay: Sketch) -> None:
    host.publish(host.sender.set_mode("lamp", 7))
    host.publish(host.sender.query_mode("lamp"))
    wait_for(lambda: any(message.mode == 7 for message in host.messages), "the mode")
    assert relay.said("pin") == 0


def test_an_identity_in_flash_alone(
    host: Host, board: Path, keyring: espseal.Keyring, broker: Mosquitto
) -> None:
    provisioned = board / "lamp.json"
    provisioned.write_text(as_json.render(keyring.provision("lamp"), Surroundings()))
    run("python3", LIBRARY / "extras" / "flash_image.py", provisioned, board / "flash.bin")
    place = f'#define MQTT_HOST "{broker.host}"\n#define MQTT_PORT {broker.port}\n'
    folder = "../../tests/arduino/sketches/FromFlash"
    with Sketch(board, folder, {"place.h": place}) as sketch:
        wait_for(lambda: len(host.readings) >= 3, "readings")
        assert set(host.readings) == {"from flash"}
        wait_for(lambda: host.sender.is_ready("lamp"), "a session of the device")
        sent = host.publish(host.sender.ratchet("lamp"))
        wait_for(lambda: host.acknowledged(sent.tag), "the acknowledgement")
    # The first key is nowhere on the board: neither in flash nor in the program.
    key = keyring.provision("lamp").device_key.expose()
    assert key not in sketch.flash + (board / "sketch").read_bytes()


CLASSIC = """
#define WIFI_SSID "house"
#define WIFI_PASSWORD ""
#define MQTT_HOST "{broker.host}"
#define MQTT_PORT {broker.port}
#define NODE_ID "11242238"
#define TOPIC "sensors/kitchen"
#define SESSION_TOPIC "sensors/session"
#define COMMAND_TOPIC "sensors/11242238/command"
#define COMMAND_SESSION_TOPIC "sensors/11242238/command-session"
#define IV_KEY "one of 16 bytes."
#define DATA_KEY "another of these"
#define STATIC_IV "and a third one."
#define PASSPHRASE "a passphrase of any length"
"""
CLASSIC_KEYRING = f"""version = 1
session_key = "{"1f" * 32}"
[[classic_group]]
name = "house"
topic = "sensors/+"
session_topic = "sensors/session"
command_topic = "sensors/{{node_id}}/command"
command_session_topic = "sensors/{{node_id}}/command-session"
[classic_group.keys]
iv_key = {{ text = "one of 16 bytes." }}
data_key = {{ text = "another of these" }}
static_iv = {{ text = "and a third one." }}
passphrase = {{ text = "a passphrase of any length" }}
[[device]]
name = "kitchen"
classic = {{ group = "house", node_id = "11242238" }}
"""


@pytest.fixture
def node(board: Path, broker: Mosquitto) -> Sketch:
    return Sketch(board, "ClassicSensor", {"secrets.h": CLASSIC.format(broker=broker)}, FAST)


@pytest.fixture
def classic_host(broker: Mosquitto, tmp_path: Path) -> Iterator[Host]:
    with Host(broker, espseal.Keyring.parse(CLASSIC_KEYRING), tmp_path) as host:
        yield host


def test_a_classic_node_sends_and_obeys(classic_host: Host, node: Sketch) -> None:
    host = classic_host
    with node:
        wait_for(lambda: len(host.readings) >= 5, "five readings")
        numbers = [int(reading) for reading in host.readings]
        assert numbers == list(range(500, 500 + len(numbers)))
        assert {message.node_id for message in host.fresh} == {"11242238"}
        sent = None
        for number, (command, level) in enumerate([("on", 0), ("off", 1)]):
            wait_for(lambda: host.sender.is_ready("kitchen"), "a command session")
            sent = host.publish(host.sender.seal("kitchen", command))
            wait_for(lambda number=number: node.said("pin 2 is") > number, "the command")  # type: ignore[misc]
            assert node.lines[-1] == f"pin 2 is {level}"
        assert sent is not None
        host.say(sent.topic, sent.payload)
        before = len(host.readings)
        wait_for(lambda: len(host.readings) > before + 3, "readings")
        assert node.said("pin 2 is") == 2
    assert host.verdicts() == {"fresh"}
