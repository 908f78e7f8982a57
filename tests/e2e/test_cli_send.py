"""``espseal send`` as a process, on a real broker."""

from pathlib import Path

import pytest

from broker import Mosquitto
from support import Probe, stop, wait_for
from test_cli_support import Command, Node, at, new_home, write_keyring

VERSIONS = ["3.1.1", "5"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return new_home(tmp_path)


@pytest.fixture
def keyring(home: Path) -> Path:
    return home / "keyring.toml"


@pytest.mark.parametrize("version", VERSIONS)
def test_commands_arrive_in_their_order(
    broker: Mosquitto, home: Path, keyring: Path, version: str
) -> None:
    options = (*at(broker), "--mqtt-version", version)
    with Node(broker, keyring) as node, Node(broker, keyring, "cellar") as other:
        for number in range(4):
            with Command(home, "send", "kitchen", f"on {number}", *options) as command:
                assert command.end() == 0, command.err
            assert command.out == ["Sent 4 bytes to kitchen; the broker has it."]
            assert command.err == []
        wait_for(lambda: len(node.commands) == 4, "the commands")
    assert node.commands == [("fresh", f"on {number}".encode()) for number in range(4)]
    assert other.commands == []


def test_a_command_out_of_a_pipe_or_a_file(broker: Mosquitto, home: Path, keyring: Path) -> None:
    write_keyring(keyring, options='data = "binary"')
    data = b"\x00\xff\r\n\x00"
    file = home / "command.bin"
    file.write_bytes(data)
    with Node(broker, keyring) as node:
        with Command(home, "send", "kitchen", "-", *at(broker), typed=data) as command:
            assert command.end() == 0
        with Command(home, "send", "kitchen", "--file", str(file), *at(broker)) as command:
            assert command.end() == 0
        with Command(home, "send", "kitchen", "", *at(broker)) as command:
            assert command.end() == 0
        assert command.out == ["Sent 0 bytes to kitchen; the broker has it."]
        wait_for(lambda: len(node.commands) == 3, "the commands")
    assert node.commands == [("fresh", data), ("fresh", data), ("fresh", b"")]


def test_a_node_that_comes_late(broker: Mosquitto, home: Path, keyring: Path) -> None:
    with Command(home, "send", "kitchen", "on", *at(broker), "--timeout", "60") as command:
        wait_for(lambda: "SUBSCRIBE" in broker.log, "the subscription")
        with Node(broker, keyring) as node:
            assert command.end() == 0
            wait_for(lambda: node.commands, "the command")
    assert node.commands == [("fresh", b"on")]


def test_a_used_session_is_none(broker: Mosquitto, probe: Probe, home: Path, keyring: Path) -> None:
    """The node is gone after one command; its session stays, retained, and is good no more."""
    node = Node(broker, keyring)
    node.show_session = lambda: None  # type: ignore[method-assign]
    with node:
        session = node._device.draw_command_session()
        probe.send("commands/11242238/session", session, retain=True)
        with Command(home, "send", "kitchen", "on", *at(broker)) as command:
            assert command.end() == 0
        wait_for(lambda: node.commands, "the command")
        with Command(home, "send", "kitchen", "on", *at(broker), "--timeout", "5") as command:
            said = command.sentence(4)
    assert "kitchen has shown no new session within 5 seconds, so nothing was sent" in said
    assert node.commands == [("fresh", b"on")]


def test_nobody_hears_it(broker: Mosquitto, probe: Probe, home: Path, keyring: Path) -> None:
    with Node(broker, keyring):
        wait_for(lambda: probe.on("commands/11242238/session"), "the session")
    # It heard all topics.
    stop(probe.client)
    with Command(home, "send", "kitchen", "on", *at(broker), "--mqtt-version", "5") as command:
        assert "Nobody hears it: kitchen is not connected" in command.sentence(1)


def test_what_cannot_be_sent_is_said_at_once(home: Path, keyring: Path) -> None:
    # There is no broker at all.
    with Command(home, "send", "nobody", "on") as command:
        assert "`nobody`" in command.sentence(1)
    for words in (("kitchen",), ("kitchen", "on", "--file", "x")):
        with Command(home, "send", *words) as command:
            assert "either DATA or --file" in command.sentence(2)
    with Command(home, "send", "kitchen", "--file", "/nowhere/command") as command:
        assert "/nowhere/command" in command.sentence(1)
    text = keyring.read_text()
    keyring.write_text("\n".join(line for line in text.splitlines() if "command" not in line))
    with Command(home, "send", "kitchen", "on") as command:
        assert "command_topic" in command.sentence(1)


def test_what_the_frame_cannot_carry(broker: Mosquitto, home: Path, keyring: Path) -> None:
    with Node(broker, keyring) as node:
        with Command(home, "send", "kitchen", "-", *at(broker), typed=b"\0") as command:
            assert "NUL" in command.sentence(1)
        with Command(home, "send", "kitchen", "x" * 3000, *at(broker)) as command:
            assert "2048" in command.sentence(1)
    assert node.commands == []


def test_ctrl_c(broker: Mosquitto, home: Path) -> None:
    with Command(home, "send", "kitchen", "on", *at(broker)) as command:
        wait_for(lambda: "SUBSCRIBE" in broker.log, "the subscription")
        assert command.signal() == 130
    assert command.out == []
