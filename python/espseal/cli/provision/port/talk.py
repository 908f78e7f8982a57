"""What a person sees of a board that is provisioned over its serial port."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

from rich.status import Status

from espseal import Provision
from espseal.cli import console
from espseal.cli.exits import CommandError, TimeUpError
from espseal.cli.provision import as_json
from espseal.cli.provision.port.board import Board, Identity
from espseal.cli.provision.port.line import Line
from espseal.cli.provision.surroundings import Surroundings

# In seconds.
_READY: Final = 20.0
_WORDS: Final = {
    "run": "runs",
    "configure": "is in configure mode",
    "unprovisioned": "is not provisioned yet",
    "safe": "is in safe mode: it crashed five times in a row",
}
_NEEDED: Final = {"wifi_ssid": "--wifi-ssid", "mqtt_host": "--mqtt-host"}


class Talk:
    """A board that has answered; a context manager around the port.

    Arguments:
        port: like /dev/ttyUSB0.
        address: of the device that the board is to be.
        force: whether it may have been another one.

    Raises:
        CommandError: the port cannot be used, or the board is another device.
        TimeUpError: nothing answers.
    """

    def __init__(self, port: str, address: str, *, force: bool) -> None:
        self._line = Line(port)
        self._port = port
        self._address = address
        self._force = force

    def __enter__(self) -> Self:
        self._line.__enter__()
        try:
            self._board = Board(self._line, _READY)
            with self._status(f"Waiting for the board on {self._port} ..."):
                found = self._board.identify()
            self._check(found)
        except BaseException:
            self._line.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._line.__exit__()

    def write(self, provisioned: Provision, surroundings: Surroundings) -> None:
        """Has the board store it, and waits until it has started with it."""
        fields = {
            name: str(value)
            for name, value in as_json.fields(provisioned, surroundings).items()
            if name != "version"
        }
        with self._status(f"Telling the board on {self._port} ...") as status:

            def progress(done: int, all_of_them: int) -> None:
                status.update(f"Telling the board: {done} of {all_of_them} settings ...")

            self._board.write(fields, progress)
            status.update("Stored. Waiting for the board to restart ...")
            try:
                found = self._board.identify()
            except TimeUpError:
                raise TimeUpError(
                    f"The board has stored it as {provisioned.name}, but has not restarted since: "
                    "press its reset button."
                ) from None
        if (found.mode, found.address) != ("run", provisioned.address):
            state = _WORDS.get(found.mode, f"says it is in mode {found.mode}")
            raise CommandError(
                f"The board has stored it and restarted, but {state} "
                f"(address {found.address or 'none'}): its serial port says why."
            )
        console.say(
            f"The board on {self._port} is {provisioned.name} now (address "
            f"{provisioned.address}, epoch {provisioned.epoch}), and runs.",
            "green",
        )

    def _check(self, found: Identity) -> None:
        state = _WORDS.get(found.mode, f"says it is in mode {found.mode}")
        console.note(f"The board has the reference sketch {found.version}; it {state}.")
        if found.address not in (None, self._address) and not self._force:
            raise CommandError(
                f"The board is another device, with the address {found.address} (espseal device "
                "list knows its name): --force makes it this one."
            )

    @contextmanager
    def _status(self, text: str) -> Iterator[Status]:
        if not console.err().is_terminal:
            console.note(text)
        with console.err().status(text) as status:
            yield status


def check(fields: dict[str, Any]) -> None:
    """Refuses what no board could begin with.

    Raises:
        CommandError: there is no Wi-Fi or no broker in it.
    """
    missing = [option for name, option in _NEEDED.items() if not fields.get(name)]
    if missing:
        raise CommandError(f"The board needs {' and '.join(missing)} as well.")
