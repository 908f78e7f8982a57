"""``espseal provision --port``: a board on a serial port, the kind ones and the others."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import serial
from serial.tools import list_ports, list_ports_common

from espseal import Keyring, KeyringFile
from espseal.cli.provision.port import board as board_module
from espseal.cli.provision.port import talk
from ports import Board
from test_cli import home, run, run_process, secrets_in, sentence

__all__ = ["home"]

ADDRESS = "0011223344556677"
AROUND = ("--wifi-ssid", "my cottage", "--mqtt-host", "broker.example")
PASSWORD = "100% s\u00fcper=secret word"


@pytest.fixture(autouse=True)
def keyring(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fleet with the device kitchen in the default keyring; a Wi-Fi with a password."""
    path = home / "keys.toml"
    monkeypatch.setenv("ESPSEAL_KEYRING", str(path))
    monkeypatch.setenv("ESPSEAL_DEVICE_WIFI_PASSWORD", PASSWORD)
    file = KeyringFile.create(path)
    file.add_fleet("home")
    file.add_sealed("kitchen", fleet="home", address=ADDRESS)
    return path


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what never comes; longer than what comes may take on a busy computer."""
    monkeypatch.setattr(talk, "_READY", 4.0)
    monkeypatch.setattr(board_module, "_ANSWER", 2.0)


def test_a_board_gets_all_that_it_needs(keyring: Path, home: Path) -> None:
    with Board() as board:
        result = run("provision", "kitchen", "--port", board.port, *AROUND, "--interval", "5")
    assert result.exit_code == 0, result.output
    given = Keyring.load(keyring).provision("kitchen")
    assert board.stored == {
        "name": "kitchen",
        "address": ADDRESS,
        "up_topic": given.up_topic,
        "hello_topic": given.hello_topic,
        "down_topic": given.down_topic,
        "beacon_topic": "espseal/home/beacon",
        "wifi_ssid": "my cottage",
        "wifi_password": PASSWORD,
        "mqtt_host": "broker.example",
        "interval": "5",
        "device_key": given.device_key.expose().hex(),
        "epoch": "0",
    }
    assert "is kitchen now" in result.stdout
    assert "espseal listen" in result.stdout
    assert "not provisioned yet" in result.stderr
    # No secret on the screen, no file beside, and on the wire no sign that a line could trip over.
    for secret in (*secrets_in(keyring), board.stored["device_key"], PASSWORD):
        assert secret not in result.output
    assert {each.name for each in home.iterdir()} == {"keys.toml", "keys.toml.lock"}
    assert all(re.fullmatch(r"[!-~ ]*", line) for line in board.heard)
    assert f"set wifi_password {PASSWORD}" not in board.heard


def test_a_board_that_talks_while_it_listens() -> None:
    def chatter(_line: str) -> None:
        board.say(b"\x92\xff\x00 rl\x9ets\r\nsends on espseal/x/up\r\nespseal is fine\r\nhalf a")
        board.say("\n")

    with Board(chatter) as board:
        result = run("provision", "kitchen", "--port", board.port, *AROUND)
    assert result.exit_code == 0, result.output
    assert board.stored["address"] == ADDRESS


def once(wanted: str, then: Callable[[], str]) -> Callable[[str], str | None]:
    """The first line of this kind is answered otherwise."""
    met = list[str]()

    def before(line: str) -> str | None:
        if line.startswith(wanted) and not met:
            met.append(line)
            return then()
        return None

    return before


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("espseal?", ""),
        ("begin", ""),
        ("set up_topic", ""),
        ("set mqtt_host", "espseal error set There is no setting of that name."),
        ("set mqtt_host", "espseal error line The line is longer than 4096 bytes: shorten it."),
        ("save", ""),
        ("save", "espseal error save What came is not what was sent: begin again."),
    ],
)
def test_what_is_lost_on_the_way_is_said_again(line: str, answer: str, impatient: None) -> None:
    del impatient
    with Board(once(line, lambda: answer)) as board:
        result = run("provision", "kitchen", "--port", board.port, *AROUND)
    assert result.exit_code == 0, result.output
    assert board.stored["wifi_password"] == PASSWORD
    assert board.heard.count("begin") >= (1 if line == "espseal?" else 2)


@pytest.mark.parametrize(
    ("line", "answer", "code", "says"),
    [
        (
            "set wifi_password",
            "espseal error wifi_password A Wi-Fi password has 8 to 63 characters.",
            1,
            "The board refuses wifi_password: A Wi-Fi password has 8 to 63 characters.",
        ),
        (
            "set name",
            "espseal error na\x1b[31mme It is \x1b]0;too\x07 long.",
            1,
            r"The board refuses na\x1b[31mme: It is \x1b]0;too\x07 long.",
        ),
        ("save", "espseal error save What came is not what was sent.", 4, "in 5 attempts"),
        ("begin", "nothing of use", 4, "has not answered in 5 attempts"),
        ("save", "espseal saved 8899aabbccddeeff", 1, "another address: 8899aabbccddeeff"),
        ("save", "espseal saved", 1, "another address"),
        ("espseal?", "espseal 2 run none Reference/9", 1, "speaks version 2"),
        ("espseal?", "espseal 1", 1, "makes no sense"),
        ("espseal?", "espseal 1 run", 1, "makes no sense"),
        ("espseal?", "espseal 1\u0661 run none", 4, "No board with the reference sketch"),
        ("espseal?", "Hello from another sketch", 4, "No board with the reference sketch"),
        ("espseal?", "espseal 1 run 8899aabbccddeeff Reference/1.0", 1, "another device"),
    ],
)
def test_what_a_board_may_say_instead(
    line: str, answer: str, code: int, says: str, impatient: None
) -> None:
    del impatient
    with Board(lambda heard: answer if heard.startswith(line) else None) as board:
        result = run("provision", "kitchen", "--port", board.port, *AROUND)
    assert result.exit_code == code, result.output
    assert says in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert "\x1b" not in result.output
    assert not board.stored


def test_another_device_is_overwritten_only_if_forced(keyring: Path) -> None:
    with Board() as board:
        board.address, board.mode = "8899aabbccddeeff", "run"
        result = run("provision", "kitchen", "--port", board.port, *AROUND)
        assert "--force" in result.stderr
        assert (result.exit_code, board.stored) == (1, {})
        result = run("provision", "kitchen", "--port", board.port, *AROUND, "--force")
        assert result.exit_code == 0, result.output
        # The same one again needs no force.
        result = run("provision", "kitchen", "--port", board.port, *AROUND)
        assert result.exit_code == 0, result.output
    assert board.stored["address"] == ADDRESS
    assert keyring.exists()


def test_a_board_that_does_not_run_after_it(impatient: None) -> None:
    del impatient
    saved = threading.Event()

    def before(line: str) -> str | None:
        if line.startswith("save"):
            saved.set()
        return "espseal 1 unprovisioned none x" if saved.is_set() and line == "espseal?" else None

    with Board(before) as board:
        result = run("provision", "kitchen", "--port", board.port, *AROUND)
    assert result.exit_code == 1
    assert "is not provisioned yet" in result.stderr.splitlines()[-1]
    saved.clear()
    with Board(lambda line: "" if saved.is_set() else before(line) and None) as board:
        result = run("provision", "kitchen", "--port", board.port, *AROUND)
    assert result.exit_code == 4
    assert "press its reset button" in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("text", ["x" * 1000, "espseal is talking\n" * 50, "\xff\x00\x1b"])
def test_a_board_that_never_stops(text: str, impatient: None) -> None:
    del impatient
    over = threading.Event()
    with Board(lambda _line: "") as board:

        def flood() -> None:
            while not over.is_set():
                board.say(text)

        thread = threading.Thread(target=flood)
        thread.start()
        try:
            result = run("provision", "kitchen", "--port", board.port, *AROUND)
        finally:
            over.set()
            board.drain(thread)
    assert result.exit_code == 4
    assert "No board with the reference sketch" in result.stderr.splitlines()[-1]


def test_a_board_that_is_unplugged() -> None:
    def before(line: str) -> str | None:
        if line.startswith("set hello_topic"):
            board.unplug()
            return ""
        return None

    with Board(before) as board:
        port = board.port
        # Then nobody holds the other end of the port.
        result = run("provision", "kitchen", "--port", port, *AROUND)
    assert result.exit_code == 1
    assert "is gone" in result.stderr.splitlines()[-1]


def test_a_port_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_ports, "comports", list)
    words = ("provision", "kitchen", *AROUND, "--port")
    said = run(*words, "/dev/ttyUSB77")
    assert "no serial port at all" in said.stderr.splitlines()[-1]
    found = list_ports_common.ListPortInfo("/dev/ttyUSB3")
    found.description = "CP2102 USB to UART"
    monkeypatch.setattr(list_ports, "comports", lambda: [found])
    said = run(*words, "/dev/ttyUSB77")
    assert "/dev/ttyUSB3 (CP2102 USB to UART)" in said.stderr.splitlines()[-1]
    assert said.exit_code == 1
    Path("file").write_text("")
    assert "is no serial port" in run(*words, "file").stderr.splitlines()[-1]
    assert "cannot be" in run(*words, "a\0b").stderr.splitlines()[-1]


def test_a_port_that_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    with Board() as board:
        other = os.open(board.port, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(other, fcntl.LOCK_EX)
        result = run("provision", "kitchen", "--port", board.port, *AROUND)
        os.close(other)
    assert "Another program uses" in result.stderr.splitlines()[-1]

    def refuse(_self: object) -> None:
        raise serial.SerialException(13, "could not open port: Permission denied")

    monkeypatch.setattr(serial.Serial, "open", refuse)
    result = run("provision", "kitchen", "--port", "/dev/ttyUSB0", *AROUND)
    assert result.exit_code == 1
    assert "usermod -aG dialout" in result.stderr.splitlines()[-1]


def test_without_pyserial() -> None:
    script = (
        "import sys; sys.modules['serial'] = None; from espseal.cli import main; "
        f"sys.argv = ['espseal', 'provision', 'kitchen', '--port', 'x', *{AROUND!r}]; main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert "pip install 'espseal[serial]'" in sentence(result, 1)


def test_it_is_stopped() -> None:
    with (
        Board(lambda _line: "") as board,
        subprocess.Popen(
            [
                *(sys.executable, "-m", "espseal.cli"),
                *("provision", "kitchen", "--port", board.port, *AROUND),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        deadline = time.monotonic() + 60
        while "espseal?" not in board.heard:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert output == ""
    assert errors.splitlines()[0].startswith("Waiting for the board")
    assert errors.splitlines()[-1].startswith("Stopped.")
    assert "Traceback" not in errors


def test_what_is_missing_or_does_not_go_together(keyring: Path) -> None:
    before = keyring.read_bytes()
    words = ("provision", "kitchen", "--port", "x")
    assert "--wifi-ssid and --mqtt-host" in sentence(run(*words), 1)
    assert "--mqtt-host as well" in sentence(run(*words, "--wifi-ssid", "x"), 1)
    assert "--output" in sentence(run(*words, *AROUND, "--format", "json"), 2)
    assert "--output" in sentence(run(*words, *AROUND, "--output", "x"), 2)
    assert keyring.read_bytes() == before


def test_the_help_names_it() -> None:
    result = run_process("provision", "--help", COLUMNS="200")
    for word in ("--port", "--transport", "--tls-ca", "--ip-mask", "--interval"):
        assert word in result.stdout
