"""The reference sketch, as it is, on a board of stubs that is provisioned over its serial port."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import espseal
from support import wait_for

from .sketch import Sketch

# How the order of the settings is written on the wire and in flash.
ORDER = [
    *("name", "address", "up_topic", "hello_topic", "down_topic", "beacon_topic"),
    *("wifi_ssid", "wifi_password", "ip_address", "ip_gateway", "ip_mask", "ip_dns"),
    *("mqtt_host", "mqtt_port", "mqtt_user", "mqtt_password", "transport"),
    *("tls_fingerprint", "tls_public_key", "tls_ca", "ntp_server", "interval"),
]
# Pauses that are not worth a test's time; nothing else differs from what is flashed.
DEFINES = "-DSTATION_FIRST_MS=300 -DSTATION_LAST_MS=600 -DESPSEAL_RECONNECT_LAST_MS=1000U"


def settings_of(given: espseal.Provision, **others: object) -> dict[str, str]:
    """What a device is provisioned with: its own, a Wi-Fi, and these."""
    settings = {
        "name": given.name,
        "address": given.address,
        "beacon_topic": given.beacon_topic,
        "wifi_ssid": "house",
        "wifi_password": "a secret of the house",
        "interval": "1",
    }
    return settings | {name: str(value) for name, value in others.items()}


class Reference(Sketch):
    """A board with the reference sketch.

    Arguments:
        folder: as of Sketch.
        defines: what the compiler is told besides.
    """

    def __init__(self, folder: Path, defines: str = "") -> None:
        super().__init__(folder, "Reference", {}, f"{DEFINES} {defines}")

    def provision(self, settings: dict[str, str], given: espseal.Provision | None) -> None:
        """Stores settings and, if one is given, a device's key, over the serial port; the board is
        on, and restarts."""
        pairs = [(name, settings[name]) for name in ORDER if name in settings]
        text = "".join(f"{name}={value}\n" for name, value in pairs)
        if given is not None:
            key = given.device_key.expose().hex()
            pairs += [("device_key", key), ("epoch", str(given.epoch))]
            text += f"device_key={key}\nepoch={given.epoch}\n"
        lines = [f"set {name} {quote(value, safe='')}" for name, value in pairs]
        before = len(self.lines)
        self.type("begin", *lines, f"save {zlib.crc32(text.encode()):08x}")
        ended = ("espseal saved", "espseal error")
        wait_for(
            lambda: any(line.startswith(ended) for line in self.lines[before:]),
            "the board to store its settings",
        )
        assert not [line for line in self.lines[before:] if line.startswith("espseal error")]

    def air(self, state: str) -> None:
        """What becomes of its Wi-Fi: up, down or locked."""
        new = self.folder / "wifi.new"
        new.write_text(state)
        new.rename(self.folder / "wifi")

    def heard(self, part: str) -> int:
        """How many lines on the serial port had this in them."""
        return sum(part in line for line in self.lines)

    def wait_for_line(self, part: str, times: int = 1) -> str:
        """Waits until so many lines had this in them; the last of them."""
        try:
            wait_for(lambda: self.heard(part) >= times, f"{part!r} on the serial port")
        except AssertionError as error:
            said = [line for line in self.lines if not line.startswith("pin 2")][-20:]
            raise AssertionError("\n".join([str(error), *said])) from None
        return [line for line in self.lines if part in line][-1]


@contextmanager
def running(board: Reference, settings: dict[str, str], given: espseal.Provision) -> Iterator[None]:
    """Switches the board on, provisions it, and waits until it is in run mode."""
    with board:
        board.wait_for_line("mode: unprovisioned")
        board.provision(settings, given)
        board.wait_for_line("mode: run")
        yield
