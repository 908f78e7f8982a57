"""The reference sketch is provisioned by a file, its page and its port: the same is stored."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import certificates
import espseal
from broker import Mosquitto
from support import wait_for

from .access_point import ask, port_of
from .cable import Cable
from .conftest import LIBRARY, run
from .hosting import Host
from .reference_board import Reference

PASSWORD = "100% s\u00fcper=secret word"
AROUND = ("--wifi-ssid", 'a "house" \\ gr\u00f6\u00dfer', "--mqtt-host", "127.0.0.1")


@dataclass
class Home:
    """A computer with a keyring, and a board that is new."""

    folder: Path
    board: Reference

    @property
    def keyring(self) -> espseal.Keyring:
        return espseal.Keyring.load(self.folder / "keyring.toml")

    def espseal(self, *words: str, code: int = 0) -> str:
        """Gives a command; what it said."""
        environment = {**os.environ, "HOME": str(self.folder)}
        environment |= {
            "ESPSEAL_KEYRING": str(self.folder / "keyring.toml"),
            "ESPSEAL_DEVICE_WIFI_PASSWORD": PASSWORD,
        }
        ended = subprocess.run(
            [sys.executable, "-m", "espseal.cli", *words],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert ended.returncode == code, ended.stdout
        return ended.stdout

    def new_board(self) -> None:
        """Nothing was ever written to it."""
        self.board.forget("flash.bin", "settings.bin", "rtc.bin", "ports")
        self.board.lines.clear()
        # What it does when it runs changes its flash as well.
        self.board.air("down")

    @property
    def stored(self) -> tuple[bytes, bytes]:
        """The sectors of the settings and those of the identity."""
        settings = self.board.folder / "settings.bin"
        return settings.read_bytes(), self.board.flash


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return Reference(tmp_path_factory.mktemp("board"))


@pytest.fixture
def home(tmp_path: Path, board: Reference) -> Home:
    file = espseal.KeyringFile.create(tmp_path / "keyring.toml")
    file.add_fleet("home")
    file.add_sealed("lamp", fleet="home")
    home = Home(tmp_path, board)
    home.new_board()
    return home


def by_file(home: Home, words: tuple[str, ...]) -> None:
    provisioned(home, words)
    image = home.folder / "lamp.bin"
    image.unlink(missing_ok=True)
    tool = LIBRARY / "extras" / "flash_image.py"
    said = run("python3", tool, "--reference", home.folder / "lamp.json", image)
    # A file system of 2 MB on a flash of 4 MB ends where the stubs have it.
    assert said.split()[-2:] == ["0x3f8000", str(image)]
    content = image.read_bytes()
    assert len(content) == 16384
    (home.board.folder / "settings.bin").write_bytes(content[:8192])
    (home.board.folder / "flash.bin").write_bytes(content[8192:])
    with home.board:
        home.board.wait_for_line("mode: run")


def by_port(home: Home, words: tuple[str, ...]) -> None:
    with home.board, Cable(home.board) as cable:
        said = home.espseal("provision", "lamp", "--port", cable.port, *words)
    assert "is lamp now" in said


def by_page(home: Home, words: tuple[str, ...]) -> None:
    # Twice within 4 s: the board opens its access point.
    with home.board:
        home.board.wait_for_line("mode: unprovisioned")
        home.board.reset()
        home.board.wait_for_line("mode: ", 2)
        home.board.reset()
        home.board.wait_for_line("mode: configure")
        fields = provisioned(home, words)
        del fields["version"]
        body = "".join(f"{name}={value}\n" for name, value in fields.items())
        if fields.get("transport") == "insecure":
            # What the page has a person type.
            body += "confirm=insecure\n"
        answer = ask(port_of(home.board), "POST", "/settings", body)
        assert answer.said == {"saved": fields["address"]}
        home.board.wait_for_line("mode: run")


def provisioned(home: Home, words: tuple[str, ...]) -> dict[str, Any]:
    """What the file of the device says."""
    home.espseal("provision", "lamp", "--format", "json", "--force", *words)
    found: dict[str, Any] = json.loads((home.folder / "lamp.json").read_text())
    return found


ROADS: dict[str, Callable[[Home, tuple[str, ...]], None]] = {
    "file": by_file,
    "port": by_port,
    "page": by_page,
}


@pytest.mark.parametrize("more", ["least", "fingerprint", "public_key", "ca", "insecure", "all"])
def test_each_road_leaves_the_same_bytes(home: Home, more: str) -> None:
    made = certificates.make(home.folder, 2048)
    transport, *others = {
        "least": ("plain",),
        "fingerprint": ("fingerprint", "--tls-fingerprint", made.fingerprint.upper()),
        "public_key": ("public_key", "--tls-public-key", str(made.public_key)),
        "ca": ("ca", "--tls-ca", str(made.ca), "--ntp-server", "ntp.x", "--mqtt-port", "8884"),
        "insecure": ("insecure", "--mqtt-port", "8883"),
        "all": (
            *("plain", "--mqtt-port", "1883", "--mqtt-user", "{address}", "--interval", "86400"),
            *("--ip-address", "192.168.7.20", "--ip-gateway", "192.168.7.1"),
            *("--ip-mask", "255.255.255.0", "--ip-dns", "9.9.9.9"),
        ),
    }[more]
    words = (*AROUND, "--transport", transport, *others)
    found = {}
    for name, road in ROADS.items():
        home.new_board()
        road(home, words)
        found[name] = home.stored
    settings, identity = found["file"]
    assert PASSWORD.encode() in settings
    assert home.keyring.provision("lamp").device_key.expose() in identity
    assert found["port"] == found["file"]
    assert found["page"] == found["file"]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    folder = tmp_path / "broker"
    folder.mkdir()
    with Mosquitto(folder, persistence=True) as broker:
        yield broker


@pytest.mark.parametrize("road", ROADS)
def test_by_each_road_its_readings_arrive(home: Home, road: str, broker: Mosquitto) -> None:
    """With topics that are called by its MAC."""
    file = espseal.KeyringFile.open(home.folder / "keyring.toml")
    file.set_topics(
        "lamp",
        up_topic="mqtt_tx_5ccf7fab8bfe",
        hello_topic="mqtt_tx_5ccf7fab8bfe",
        down_topic="mqtt_rx_5ccf7fab8bfe",
    )
    words = ("--wifi-ssid", "house", "--mqtt-host", broker.host, "--mqtt-port", str(broker.port))
    ROADS[road](home, (*words, "--interval", "1"))
    home.board.air("up")
    with Host(broker, home.keyring, home.folder) as host, home.board:
        wait_for(lambda: len(host.fresh) >= 2, "readings")
        assert {message.device for message in host.fresh} == {"lamp"}
        assert {topic for topic, _ in host.frames} == {"mqtt_tx_5ccf7fab8bfe"}
        wait_for(lambda: host.sender.is_ready("lamp"), "a session of the device")
        sent = host.publish(host.sender.seal("lamp", "on"))
        wait_for(lambda: host.acknowledged(sent.tag), "the acknowledgement")


def test_the_board_says_by_field_what_it_does_not_like(home: Home) -> None:
    words = ("--wifi-ssid", "x" * 33, "--mqtt-host", "broker.example")
    with home.board, Cable(home.board) as cable:
        said = home.espseal("provision", "lamp", "--port", cable.port, *words, code=1)
        assert "The board refuses wifi_ssid: " in said
        words = ("--wifi-ssid", "x", "--mqtt-host", "mqtt://broker.example")
        said = home.espseal("provision", "lamp", "--port", cable.port, *words, code=1)
        assert "The board refuses mqtt_host: " in said
        assert home.board.heard("mode: unprovisioned") == 1
    assert not (home.board.folder / "settings.bin").exists()


def test_another_device_and_the_same_one_again(home: Home) -> None:
    espseal.KeyringFile.open(home.folder / "keyring.toml").add_sealed("shed", fleet="home")
    with home.board, Cable(home.board) as cable:
        words = ("--port", cable.port, *AROUND)
        home.espseal("provision", "lamp", *words)
        before = home.stored
        said = home.espseal("provision", "shed", *words, code=1)
        assert "--force" in said
        assert home.stored == before
        home.espseal("provision", "lamp", *words, "--interval", "5")
        home.espseal("provision", "shed", *words, "--force")
        given = home.keyring.provision("shed")
        home.board.wait_for_line(f"Device shed, address {given.address}")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"wifi_ssid": ""}, "needs wifi_ssid"),
        ({"sensor": "x"}, "does not know sensor"),
        ({"mqtt_host": "mqtt://broker"}, "mqtt_host is not"),
        ({"name": "a\nb"}, "name is not"),
        ({"wifi_password": "short"}, "wifi_password is not"),
        ({"transport": "tls"}, "transport is not"),
        ({"transport": "ca"}, "needs tls_ca"),
        ({"address": "00"}, "the address has 8 bytes"),
        ({"tls_ca": "A" * 2800, "tls_public_key": "A" * 400, "mqtt_password": "x" * 256}, None),
        (
            {"tls_ca": "A" * 2800, "tls_public_key": "A" * 800, "mqtt_password": "x" * 256}
            | {"mqtt_user": "x" * 128, "mqtt_host": "x" * 128},
            "longer than a sector",
        ),
    ],
)
def test_the_image_says_what_is_wrong(
    home: Home, changes: dict[str, str], says: str | None
) -> None:
    fields = provisioned(home, AROUND) | changes
    (home.folder / "lamp.json").write_text(json.dumps(fields))
    tool = LIBRARY / "extras" / "flash_image.py"
    image = home.folder / "lamp.bin"
    said = run("python3", tool, "--reference", home.folder / "lamp.json", image, check=False)
    assert image.exists() == (says is None), said
    assert says is None or says in said
    assert "Traceback" not in said
