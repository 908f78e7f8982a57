"""The reference sketch without its radio: what is stored, the mode, the serial port."""

import zlib
from functools import cache
from pathlib import Path
from urllib.parse import quote

from support import wait_for

from .conftest import OUT
from .sketch import Sketch, build

SKETCH = "../../tests/arduino/sketches/ReferenceCore"
PARTS = "codec checks fields settings missing slots settings_flash provision draft boot port"
ADDRESS = "0123456789abcdef"
KEY = "a1" * 32
PASSWORD = "a Wi-Fi password"
SETTINGS = {
    "name": "Küche",
    "address": ADDRESS,
    "beacon_topic": "espseal/home/beacon",
    "wifi_ssid": "house & home",
    "wifi_password": PASSWORD,
    "mqtt_host": "192.168.1.2",
}
IDENTITY = {"device_key": KEY, "epoch": "0"}


def text(values: dict[str, str]) -> bytes:
    """The canonical text, of values in the table's order."""
    return "".join(f"{name}={value}\n" for name, value in values.items()).encode()


@cache
def program(defines: str) -> Path:
    """Built once."""
    folder = OUT / f"ReferenceCore-{zlib.crc32(defines.encode()):08x}"
    folder.mkdir(parents=True, exist_ok=True)
    also = " ".join(f"examples/Reference/{part}.cpp" for part in PARTS.split())
    return build(folder, SKETCH, {}, defines, also)


class Board(Sketch):
    """A board that a program speaks to.

    Arguments:
        folder: as of a sketch.
        defines: as of a sketch.
    """

    def __init__(self, folder: Path, defines: str = "") -> None:
        super().__init__(folder, SKETCH, {}, program=program(defines))

    @property
    def modes(self) -> list[str]:
        """What each boot said first."""
        return [line for line in tuple(self.lines) if line.startswith("mode ")]

    def boots(self, count: int) -> str:
        """Waits for so many boots; what the last one said."""
        wait_for(lambda: len(self.modes) >= count, f"boot {count}: {self.lines}")
        return self.modes[-1]

    def ask(self, line: str) -> str:
        """Sends a line; the last line of the answer."""
        before = len(self.lines)
        self.type(line)
        wait_for(lambda: self._answer(before) is not None, f"an answer to {line[:20]}")
        return self._answer(before) or ""

    def _answer(self, before: int) -> str | None:
        for line in self.lines[before:]:
            if line.startswith(("espseal ok", "espseal error", "espseal saved", "espseal 1 ")):
                return line
            if line == "espseal erased":
                return line
        return None

    def give(self, values: dict[str, str], identity: dict[str, str] | None = None) -> str:
        """Provisions it; what the save said."""
        assert self.ask("begin") == "espseal ok"
        given = {**values, **(identity or {})}
        for name, value in given.items():
            assert self.ask(f"set {name} {quote(value)}") == "espseal ok"
        return self.ask(f"save {zlib.crc32(text(given)):08x}")
