"""The guide to the ESP8266: each command as it stands, with a board of stubs on a cable."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from test_guides import Shell, blocks, commands

from .authority import Authority
from .cable import Cable
from .conftest import LIBRARY, ROOT, run
from .reference_board import Reference
from .test_reference_tls import RENEWED, Secure

GUIDE = ROOT / "docs" / "esp8266.md"

_FLASH = "needs a board and the network"
REPLACED = {
    "arduino-cli": _FLASH,
    "pip install": "needs the network; it is installed already",
    "esptool": _FLASH,
}
"""How a command begins that is not run, and why."""

ENDLESS = {"espseal listen": "kitchen", "python receive.py": "kitchen {"}
"""What runs until Ctrl-C, and what it has to say before."""


def typed() -> list[str]:
    """All commands of the guide."""
    return [line for tag, text in blocks(GUIDE) if tag == "console" for line, _ in commands(text)]


def is_replaced(line: str) -> bool:
    return line.startswith(tuple(REPLACED))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Secure]:
    with Secure(tmp_path / "broker", Authority().issue()) as broker:
        yield broker


def test_every_command(tmp_path: Path, broker: Secure) -> None:
    folder = tmp_path / "board"
    folder.mkdir()
    board = Reference(folder)
    with board, Cable(board) as cable:
        plain = f"localhost --mqtt-port {broker.plain.port}"
        # Longer ones first.
        exchanged = {
            "broker.example:8883": f"localhost:{broker.port}",
            "--mqtt-host broker.example --transport": (
                f"--mqtt-host localhost --mqtt-port {broker.port} --interval 1 --transport"
            ),
            "--mqtt-host broker.example": f"--mqtt-host {plain} --interval 1",
            'client.connect("broker.example")': f'client.connect("localhost", {broker.plain.port})',
            "/dev/ttyUSB0": cable.port,
            "firmware/arduino": str(LIBRARY),
        }
        shell = Shell(tmp_path, "localhost", broker.plain.port, exchanged)
        done: list[str] = []

        def type_all(lines: list[str]) -> None:
            for line in lines:
                if is_replaced(line):
                    continue
                if line in ENDLESS:
                    with shell.running(line, ENDLESS[line]):
                        done.append(line)
                    continue
                shell.run(line)
                done.append(line)

        for tag, text in blocks(GUIDE):
            if tag == "python":
                (shell.home / "receive.py").write_text(shell.here(text))
            if tag != "console":
                continue
            lines = [line for line, _ in commands(text)]
            if "espseal send kitchen on" in lines:
                with shell.running("espseal listen", "kitchen", "beside.txt"):
                    type_all(lines)
                board.wait_for_line("mode: configure")
                # What five minutes do.
                board.off()
                board.forget("rtc.bin")
                board.on()
            else:
                type_all(lines)
        board.wait_for_line("Broker: connected", 3)
        board.wait_for_line("TLS to the server with the public key that is stored.")
    assert done == [line for line in typed() if not is_replaced(line)]
    assert "pin 5 is 1" in board.lines


def test_no_command_is_replaced_that_the_guide_does_not_have() -> None:
    for start in REPLACED:
        assert any(line.startswith(start) for line in typed()), start
    assert set(typed()) >= {*ENDLESS}


def test_the_image_goes_where_the_guide_says(tmp_path: Path) -> None:
    """The address is what the tool prints."""
    (tmp_path / "kitchen.json").write_text(
        '{"version": 1, "name": "kitchen", "address": "0011223344556677", "epoch": 0, '
        f'"device_key": "{"42" * 32}", "beacon_topic": "espseal/home/beacon", '
        '"wifi_ssid": "cottage", "mqtt_host": "broker.example"}'
    )
    tool = LIBRARY / "extras" / "flash_image.py"
    image = tmp_path / "kitchen.bin"
    said = run("python3", tool, "--reference", tmp_path / "kitchen.json", image)
    assert said.strip().replace(str(image), "kitchen.bin") in typed()


def test_what_a_renewal_breaks_is_what_the_tests_find() -> None:
    """The table of the guide, and that of the tests, which renew certificates."""
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", GUIDE.read_text(), re.MULTILINE)
    renewal = {name: cells.split("|")[2].strip() for name, cells in rows}
    assert renewal.keys() == {"plain", *RENEWED}
    for name, (with_the_same_key, with_a_new_key) in RENEWED.items():
        said = renewal[name]
        assert said.startswith("nothing") == with_the_same_key, name
        assert with_a_new_key == ("every board stops" not in said.split("; but")[0]), name


def test_what_the_board_says_of_tls_is_what_the_guide_explains() -> None:
    sources = LIBRARY / "examples" / "Reference"
    texts = [(sources / name).read_text() for name in ("tls_words.cpp", "transport.cpp")]
    # As the compiler puts literals together.
    said = re.sub(r'"\s*"', "", "".join(texts)).lower()
    section = GUIDE.read_text().split("## When TLS fails")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)[2:]
    assert len(rows) == 10
    for phrase in (part.strip() for row in rows for part in row.split(";")):
        assert phrase.replace("`", "").lower() in said, phrase
