"""What a device finds around it, its broker and its Wi-Fi: options of their own.

The options of `listen` and `send` say how this program reaches the broker. A device reaches it
from elsewhere, as another user.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from typer.models import OptionInfo

from espseal.cli.spread import spread

_PANEL: Final = "What it connects to (also set by $ESPSEAL_DEVICE_MQTT_HOST and so on)"
_MQTT_PASSWORD: Final = "ESPSEAL_DEVICE_MQTT_PASSWORD"  # noqa: S105 (the name of the variable)
_WIFI_PASSWORD: Final = "ESPSEAL_DEVICE_WIFI_PASSWORD"  # noqa: S105 (the name of the variable)


def _option(
    name: str,
    text: str,
    metavar: str,
    *,
    smallest: int | None = None,
    largest: int | None = None,
) -> OptionInfo:
    option: OptionInfo = typer.Option(
        name,
        envvar=f"ESPSEAL_DEVICE_{name.removeprefix('--').replace('-', '_').upper()}",
        show_envvar=False,
        help=text,
        metavar=metavar,
        rich_help_panel=_PANEL,
        min=smallest,
        max=largest,
    )
    return option


@dataclass(frozen=True)
class Surroundings:
    """Each field is an option of the command line."""

    mqtt_host: Annotated[
        str | None, _option("--mqtt-host", "The broker, as the device finds it.", "HOST")
    ] = None
    mqtt_port: Annotated[
        int | None, _option("--mqtt-port", "Without it 1883.", "PORT", smallest=1, largest=65535)
    ] = None
    mqtt_user: Annotated[
        str | None,
        _option("--mqtt-user", "Its name at the broker; {address} stands for its address.", "NAME"),
    ] = None
    mqtt_password_file: Annotated[
        Path | None,
        _option(
            "--mqtt-password-file",
            f"Its first line is the password; or set ${_MQTT_PASSWORD}.",
            "FILE",
        ),
    ] = None
    wifi_ssid: Annotated[str | None, _option("--wifi-ssid", "The Wi-Fi it is in.", "NAME")] = None
    wifi_password_file: Annotated[
        Path | None,
        _option(
            "--wifi-password-file",
            f"Its first line is the password; or set ${_WIFI_PASSWORD}.",
            "FILE",
        ),
    ] = None

    def settings(self, address: str) -> dict[str, str | int]:
        """What was given, by the words of the provisioning file.

        Arguments:
            address: of the device, for ``{address}`` in its user name.

        Passwords come out of a file or the environment, never from an option: the shell keeps
        those.
        """
        given = {
            "mqtt_host": self.mqtt_host,
            "mqtt_port": self.mqtt_port,
            "mqtt_user": self.mqtt_user and self.mqtt_user.replace("{address}", address),
            "mqtt_password": _password(self.mqtt_password_file, _MQTT_PASSWORD),
            "wifi_ssid": self.wifi_ssid,
            "wifi_password": _password(self.wifi_password_file, _WIFI_PASSWORD),
        }
        return {name: value for name, value in given.items() if value is not None}


def _password(file: Path | None, variable: str) -> str | None:
    if file is None:
        return os.environ.get(variable)
    lines = file.read_text().splitlines()
    return lines[0] if lines else ""


# Puts the options of `Surroundings` in the place of a command's parameter ``surroundings``.
with_surroundings: Final = spread(Surroundings, "surroundings")
