"""The options that name a broker, shared by all commands that talk to one."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import typer
from typer.models import OptionInfo

from espseal.cli.spread import spread

_PANEL: Final = "Broker (also set by $ESPSEAL_MQTT_HOST, ..._PORT and so on)"
_PASSWORD: Final = "ESPSEAL_MQTT_PASSWORD"  # noqa: S105 (the name of the variable)


def _option(
    name: str,
    text: str,
    *,
    metavar: str | None = None,
    smallest: int | None = None,
    largest: int | None = None,
) -> OptionInfo:
    variable = name.removeprefix("--").replace("-", "_").upper()
    option: OptionInfo = typer.Option(
        name,
        envvar=f"ESPSEAL_MQTT_{variable.removeprefix('MQTT_')}",
        show_envvar=False,
        help=text,
        metavar=metavar,
        min=smallest,
        max=largest,
        rich_help_panel=_PANEL,
    )
    return option


@dataclass(frozen=True)
class Broker:
    """Where the broker is and how to log in; each field is an option of the command line."""

    host: Annotated[str, _option("--host", "Name or IP address.", metavar="HOST")] = "localhost"
    port: Annotated[
        int | None,
        _option(
            "--port",
            "Without it 1883, or 8883 with TLS.",
            metavar="PORT",
            smallest=1,
            largest=65535,
        ),
    ] = None
    username: Annotated[str | None, _option("--username", "To log in.", metavar="NAME")] = None
    password_file: Annotated[
        Path | None,
        _option(
            "--password-file",
            f"Its first line is the password; or set ${_PASSWORD}.",
            metavar="FILE",
        ),
    ] = None
    tls: Annotated[bool, _option("--tls", "Encrypt; trust the CAs of this system.")] = False
    ca: Annotated[
        Path | None, _option("--ca", "Encrypt; trust the CA in this PEM file.", metavar="FILE")
    ] = None
    cert: Annotated[
        Path | None, _option("--cert", "Client certificate, in PEM form.", metavar="FILE")
    ] = None
    key: Annotated[
        Path | None, _option("--key", "Its key, if it is in another file.", metavar="FILE")
    ] = None
    mqtt_version: Annotated[
        Literal["3.1.1", "5"], _option("--mqtt-version", "Version of the protocol.")
    ] = "3.1.1"
    client_id: Annotated[
        str | None,
        _option(
            "--client-id",
            "A fixed one; the broker then keeps messages while you are away.",
            metavar="ID",
        ),
    ] = None

    def __post_init__(self) -> None:
        """Refuses what cannot go together."""
        try:
            usable = bool(self.host) and bool(self.host.encode("idna"))
        except UnicodeError:
            usable = False
        if not usable:
            raise typer.BadParameter(f"{self.host!r} is no host name.", param_hint="'--host'")
        if self.key is not None and self.cert is None:
            raise typer.BadParameter("It goes with --cert.", param_hint="'--key'")
        if self.username is None and self.password_file is not None:
            raise typer.BadParameter("It goes with --username.", param_hint="'--password-file'")

    @property
    def encrypted(self) -> bool:
        """Whether the connection is to be TLS."""
        return self.tls or self.ca is not None or self.cert is not None

    @property
    def at(self) -> tuple[str, int]:
        """Host and port."""
        return self.host, self.port or (8883 if self.encrypted else 1883)

    def __str__(self) -> str:
        host, port = self.at
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def password(self) -> str | None:
        """Out of the file, else out of the environment. Never an option: the shell keeps those."""
        if self.password_file is not None:
            lines = self.password_file.read_text(errors="surrogateescape").splitlines()
            return lines[0] if lines else ""
        return os.environ.get(_PASSWORD) if self.username is not None else None


# Puts the options of `Broker` in the place of a command's parameter ``broker``.
with_broker: Final = spread(Broker, "broker")
