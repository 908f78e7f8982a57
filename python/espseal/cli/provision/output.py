"""Where a provisioning file goes: to a file for its owner alone, or into a pipe."""

import os
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from espseal import Provision
from espseal.cli import console
from espseal.cli.exits import CommandError
from espseal.cli.provision import arduino, as_json, nodemcu
from espseal.cli.provision.surroundings import Surroundings

_PIPE: Final = Path("-")

_RENDER: Final[dict[str, Callable[[Provision, Surroundings], str]]] = {
    "nodemcu": nodemcu.render,
    "arduino": arduino.render,
    "json": as_json.render,
}
_NEXT: Final = {
    "nodemcu": nodemcu.NEXT,
    "arduino": arduino.NEXT,
    "json": as_json.NEXT,
}


@dataclass(frozen=True)
class Target:
    """One format, and where it goes."""

    format: str
    path: Path
    force: bool

    def write(self, provisioned: Provision, surroundings: Surroundings) -> None:
        """Writes it, and says what was written; nothing of what is secret."""
        text = _RENDER[self.format](provisioned, surroundings)
        if self.path == _PIPE:
            sys.stdout.write(text)
            return
        _write(self.path, text, force=self.force)
        console.say(
            f"Wrote {self.path} for {provisioned.name} (address {provisioned.address}, "
            f"epoch {provisioned.epoch}); only you can read it."
        )
        console.say(_NEXT[self.format])
        given = surroundings.settings(provisioned.address)
        missing = [name for name in ("wifi_ssid", "mqtt_host") if name not in given]
        if missing and self.format != "json":
            console.say(f"Before that, change what is in capitals: {', '.join(missing)}.", "yellow")


def target(
    format: str,  # noqa: A002 (the word of the option)
    name: str,
    output: Path | None,
    force: bool,
    show_key: bool,
) -> Target:
    """Where it goes, if it may go there.

    Raises:
        BadParameter: the pipe is a terminal.
        CommandError: the file is there.
    """
    if output == _PIPE:
        if sys.stdout.isatty() and not show_key:
            raise typer.BadParameter(
                "Standard output is a terminal, and would show the key: give --show-key as well.",
                param_hint="'--output'",
            )
        return Target(format, _PIPE, force)
    path = output or Path(_default(format, name))
    if path.is_dir():
        path /= _default(format, name)
    if not path.parent.is_dir():
        raise CommandError(f"{path.parent}: there is no such folder.")
    if os.path.lexists(path) and not force:
        raise _taken(path)
    return Target(format, path, force)


def _default(format: str, name: str) -> str:  # noqa: A002 (the word of the option)
    if format == "nodemcu":
        return "config.lua"
    if format == "arduino":
        return "espseal_config.h"
    # Whatever people call it, it stays in this folder.
    return re.sub(r"[^\w.-]|^\.", "-", name) + ".json"


def _taken(path: Path) -> CommandError:
    return CommandError(f"{path} is there already; --force overwrites it.")


def _write(path: Path, text: str, *, force: bool) -> None:
    """In one step: another program sees the whole file or none."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".espseal-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if not force:
            _reserve(path)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _reserve(path: Path) -> None:
    """Makes the file, if no other program has."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise _taken(path) from None
