"""The reference sketch in run mode: readings, commands, what the host asks of it."""

import contextlib
import itertools
import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import espseal
from broker import Mosquitto
from support import wait_for

from .conftest import LIBRARY
from .hosting import Host
from .reference_board import Reference, running, settings_of

REFERENCE = LIBRARY / "examples" / "Reference"


@pytest.fixture
def host(broker: Mosquitto, keyring: espseal.Keyring, tmp_path: Path) -> Iterator[Host]:
    with Host(broker, keyring, tmp_path) as host:
        yield host


@pytest.fixture
def board(tmp_path: Path) -> Reference:
    folder = tmp_path / "board"
    folder.mkdir()
    return Reference(folder)


@pytest.fixture
def settings(given: espseal.Provision, broker: Mosquitto) -> dict[str, str]:
    return settings_of(given, mqtt_host=broker.host, mqtt_port=broker.port)


@pytest.fixture
def lamp(
    board: Reference, settings: dict[str, str], given: espseal.Provision, host: Host
) -> Iterator[Reference]:
    """The board, in a session with the host."""
    with running(board, settings, given):
        wait_for(lambda: host.sender.is_ready("lamp"), "a session of the device")
        yield board


def told(host: Host) -> list[dict[str, object]]:
    """The readings, as what they are."""
    return [json.loads(reading) for reading in host.readings]


@pytest.mark.usefixtures("lamp")
def test_readings_arrive_in_order_and_once(host: Host) -> None:
    wait_for(lambda: len(host.readings) >= 3, "readings")
    readings = told(host)
    assert all(reading["relay"] == "off" for reading in readings)
    values = [int(str(reading["a0"])) for reading in readings]
    assert values == list(range(values[0], values[0] + len(values)))
    assert host.verdicts() <= {"fresh", "stale_session"}
    # One a second, as it was asked for.
    uptimes = [int(str(reading["uptime"])) for reading in readings]
    assert {b - a for a, b in itertools.pairwise(uptimes[1:])} == {1}


def test_at_boot_it_says_what_it_is(lamp: Reference, given: espseal.Provision) -> None:
    lamp.wait_for_line("Broker: connected")
    text = "\n".join(lamp.lines)
    assert "mode: run" in text
    assert f"Device lamp, address {given.address}, epoch 0; a reading every 1 s." in text
    for topic in (given.up_topic, given.hello_topic, given.down_topic, given.beacon_topic):
        assert topic in text
    assert "plain TCP" in text
    assert "IP 127.0.0.1 (DHCP)" in text
    # No secret is among it.
    assert "a secret of the house" not in text
    assert given.device_key.expose().hex() not in text


def test_commands_are_obeyed_and_acknowledged(host: Host, lamp: Reference) -> None:
    for command, level in [("on", 1), ("off", 0), ("on", 1)]:
        sent = host.publish(host.sender.seal("lamp", command))
        wait_for(lambda tag=sent.tag: host.acknowledged(tag), "the acknowledgement")  # type: ignore[misc]
        wait_for(
            lambda command=command: told(host)[-1]["relay"] == command,  # type: ignore[misc]
            "a reading that says so",
        )
        assert [line for line in lamp.lines if line.startswith("pin 5")][-1] == f"pin 5 is {level}"
    host.publish(host.sender.seal("lamp", "interval 3600"))
    lamp.wait_for_line("A reading every 3600 s")
    before = len(host.readings)
    host.publish(host.sender.seal("lamp", "read"))
    wait_for(lambda: len(host.readings) > before, "the reading that was asked for")


@pytest.mark.parametrize(
    "command",
    [
        *("open", "ON", "on ", "on\0", "", "interval", "interval ", "interval 0", "interval -1"),
        *("interval 86401", "interval 5 ", "interval  5", "interval 4294967297", "x" * 255),
    ],
)
def test_other_commands_do_nothing(host: Host, lamp: Reference, command: str) -> None:
    sent = host.publish(host.sender.seal("lamp", command))
    wait_for(lambda: host.acknowledged(sent.tag), "the acknowledgement")
    lamp.wait_for_line("A command came that means nothing")
    assert lamp.said("pin 5 is 1") == 0
    assert lamp.heard("A reading every") == 0
    # Nor is it told to whoever reads the port.
    assert command == "" or lamp.heard(f"{command}.") == 0 or command.startswith("interval")


def test_nobody_else_commands_it(host: Host, lamp: Reference, given: espseal.Provision) -> None:
    sent = host.publish(host.sender.seal("lamp", "on"))
    lamp.wait_for_line("pin 5 is 1")
    host.publish(host.sender.seal("lamp", "off"))
    wait_for(lambda: lamp.said("pin 5 is 0") == 2, "the next command")
    frame = bytearray(sent.payload)
    frame[-1] ^= 1
    for payload in (sent.payload, bytes(frame), b"on", b"configure", b"mode 1", b""):
        host.say(given.down_topic, payload)
    last = host.publish(host.sender.seal("lamp", "read"))
    wait_for(lambda: host.acknowledged(last.tag), "the last command")
    assert lamp.said("pin 5 is 1") == 1
    assert lamp.heard("mode: configure") == 0


def test_the_host_sends_it_to_configure_mode_once(host: Host, lamp: Reference) -> None:
    host.publish(host.sender.query_mode("lamp"))
    wait_for(lambda: any(message.mode == 0 for message in host.messages), "the mode")
    sent = host.publish(host.sender.set_mode("lamp", 1))
    lamp.wait_for_line("mode: configure")
    assert host.acknowledged(sent.tag)
    # A power cut takes it back to run mode.
    lamp.off()
    lamp.forget("rtc.bin", "ports")
    before = len(host.fresh)
    lamp.on()
    lamp.wait_for_line("mode: run", 2)
    wait_for(lambda: len(host.fresh) > before, "a reading")


def test_a_mode_that_means_nothing_changes_nothing(host: Host, lamp: Reference) -> None:
    host.publish(host.sender.set_mode("lamp", 7))
    lamp.wait_for_line("The host set a mode that means nothing")
    # Run mode is the one that it is in.
    host.publish(host.sender.set_mode("lamp", 0))
    host.publish(host.sender.query_mode("lamp"))
    wait_for(lambda: any(message.mode == 0 for message in host.messages), "the mode")
    assert lamp.heard("The host set a mode that means nothing") == 1
    before = len(host.readings)
    wait_for(lambda: len(host.readings) > before + 1, "readings")
    assert lamp.heard("mode: run") == 1


def test_the_ratchet_overwrites_the_key(
    host: Host, lamp: Reference, given: espseal.Provision
) -> None:
    key = given.device_key.expose()
    assert key in lamp.flash
    sent = host.publish(host.sender.ratchet("lamp"))
    wait_for(lambda: host.acknowledged(sent.tag), "the acknowledgement")
    assert key not in lamp.flash
    wait_for(lambda: host.fresh[-1].epoch == 1, "a reading of the next epoch")
    lamp.off()
    lamp.on()
    lamp.wait_for_line("epoch 1;")
    before = len(host.fresh)
    wait_for(lambda: len(host.fresh) > before, "a reading after the reboot")
    assert host.fresh[-1].epoch == 1


def test_a_fixed_address_and_topics_with_the_mac(
    board: Reference, settings: dict[str, str], given: espseal.Provision
) -> None:
    mac = "5ccf7fab8bfe"
    more = {
        "ip_address": "192.168.1.50",
        "ip_gateway": "192.168.1.1",
        "ip_mask": "255.255.255.0",
        "ip_dns": "192.168.1.1",
        "up_topic": "mqtt_tx_{mac}",
        "down_topic": "mqtt_rx_{mac}",
    }
    with running(board, settings | more, given):
        board.wait_for_line("IP 192.168.1.50 (fixed)")
        line = board.wait_for_line("Topics: ")
        assert f"readings to mqtt_tx_{mac}," in line
        assert f"commands from mqtt_rx_{mac}," in line
        assert "Broker: connected" in board.wait_for_line("Broker: ", 2)


def test_a_password_that_the_broker_refuses(
    tmp_path: Path, board: Reference, given: espseal.Provision
) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    with Mosquitto(folder, allow_anonymous=False, passwords={"lamp": "right"}) as broker:
        settings = settings_of(
            given,
            mqtt_host=broker.host,
            mqtt_port=broker.port,
            mqtt_user="lamp",
            mqtt_password="wrong one",
        )
        with running(board, settings, given):
            board.wait_for_line("It refuses the user name or the password")
            board.provision(settings | {"mqtt_password": "right"}, None)
            board.wait_for_line("Broker: connected")
    assert board.heard("wrong one") == 0


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "It does not take MQTT 3.1.1"),
        (2, "It refuses the name of the client"),
        (3, "It is there, and cannot serve just now"),
        (4, "It refuses the user name or the password"),
        (5, "It refuses the user name or the password"),
    ],
)
def test_a_broker_that_refuses(
    board: Reference, given: espseal.Provision, code: int, words: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(1)
                        connection.sendall(bytes([0x20, 2, 0, code]))
                        while connection.recv(1024):
                            pass

        thread = threading.Thread(target=refuse)
        thread.start()
        port = listener.getsockname()[1]
        try:
            with running(board, settings_of(given, mqtt_host="127.0.0.1", mqtt_port=port), given):
                assert words in board.wait_for_line("Broker: not connected", 2)
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_what_the_core_gives_the_compiler() -> None:
    text = (REFERENCE / "Reference.ino.globals.h").read_text()
    block = re.fullmatch(r"/\*@create-file:build\.opt@\n(.*)\n\*/\n", text, re.DOTALL)
    assert block is not None
    lines = [line.strip() for line in block[1].splitlines()]
    # As the core reads it: one comment, whose lines are options or comments.
    assert [line for line in lines if not line.startswith("//")] == ["-DEMC_MIN_FREE_MEMORY=4096"]
