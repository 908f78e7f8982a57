"""What a device finds around it, its broker and its Wi-Fi: options of their own.

The options of `listen` and `send` say how this program reaches the broker. A device reaches it
from elsewhere, as another user.
"""

import os
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import Annotated, Final

import typer
from typer.models import OptionInfo

from espseal.cli.provision.transport import Transport, ca, fingerprint, public_key
from espseal.cli.spread import spread

_PANEL: Final = "What it connects to (also set by $ESPSEAL_DEVICE_MQTT_HOST and so on)"
_SKETCH_PANEL: Final = "What only the reference sketch for the ESP8266 can be told"
_MQTT_PASSWORD: Final = "ESPSEAL_DEVICE_MQTT_PASSWORD"  # noqa: S105 (the name of the variable)
_WIFI_PASSWORD: Final = "ESPSEAL_DEVICE_WIFI_PASSWORD"  # noqa: S105 (the name of the variable)


def _option(
    name: str,
    text: str,
    metavar: str,
    *,
    smallest: int | None = None,
    largest: int | None = None,
    panel: str = _PANEL,
) -> OptionInfo:
    option: OptionInfo = typer.Option(
        name,
        envvar=f"ESPSEAL_DEVICE_{name.removeprefix('--').replace('-', '_').upper()}",
        show_envvar=False,
        help=text,
        metavar=metavar,
        rich_help_panel=panel,
        min=smallest,
        max=largest,
    )
    return option


def _sketch(
    name: str,
    text: str,
    metavar: str,
    *,
    smallest: int | None = None,
    largest: int | None = None,
) -> OptionInfo:
    return _option(name, text, metavar, smallest=smallest, largest=largest, panel=_SKETCH_PANEL)


@dataclass(frozen=True)
class Surroundings:
    """Each field is an option of the command line."""

    mqtt_host: Annotated[
        str | None, _option("--mqtt-host", "The broker, as the device finds it.", "HOST")
    ] = None
    mqtt_port: Annotated[
        int | None,
        _option(
            "--mqtt-port", "Without it 1883, or 8883 with TLS.", "PORT", smallest=1, largest=65535
        ),
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

    transport: Annotated[
        Transport | None,
        _sketch("--transport", "How it reaches the broker, without it plain.", "WORD"),
    ] = None
    tls_fingerprint: Annotated[
        str | None,
        _sketch("--tls-fingerprint", "SHA-1 of the broker's certificate.", "HEX"),
    ] = None
    tls_public_key: Annotated[
        Path | None,
        _sketch("--tls-public-key", "The broker's public key, PEM or DER.", "FILE"),
    ] = None
    tls_ca: Annotated[
        Path | None,
        _sketch("--tls-ca", "Certificate of the broker's CA, PEM or DER.", "FILE"),
    ] = None
    ntp_server: Annotated[
        str | None,
        _sketch("--ntp-server", "The time for --tls-ca; without it pool.ntp.org.", "HOST"),
    ] = None
    ip_address: Annotated[
        str | None, _sketch("--ip-address", "A fixed address; without it DHCP.", "IP")
    ] = None
    ip_gateway: Annotated[str | None, _sketch("--ip-gateway", "The router.", "IP")] = None
    ip_mask: Annotated[str | None, _sketch("--ip-mask", "Like 255.255.255.0.", "IP")] = None
    ip_dns: Annotated[str | None, _sketch("--ip-dns", "The name server.", "IP")] = None
    interval: Annotated[
        int | None,
        _sketch(
            "--interval",
            "Seconds between two readings; without it 60.",
            "S",
            smallest=1,
            largest=86400,
        ),
    ] = None

    def __post_init__(self) -> None:
        """Refuses what cannot go together."""
        self._check_transport()
        self._check_ip()

    def of_the_sketch(self) -> list[str]:
        """The options that were given and that only the reference sketch understands."""
        return [
            f"--{name.replace('_', '-')}"
            for name in _OF_THE_SKETCH
            if getattr(self, name) is not None
        ]

    def settings(self, address: str) -> dict[str, str | int]:
        """What was given, by the words of the provisioning file.

        Arguments:
            address: of the device, for ``{address}`` in its user name.

        Passwords come out of a file or the environment, never from an option: the shell keeps
        those.
        """
        given: dict[str, str | int | None] = {
            "mqtt_host": self.mqtt_host,
            "mqtt_port": self.mqtt_port,
            "mqtt_user": self.mqtt_user and self.mqtt_user.replace("{address}", address),
            "mqtt_password": _password(self.mqtt_password_file, _MQTT_PASSWORD),
            "wifi_ssid": self.wifi_ssid,
            "wifi_password": _password(self.wifi_password_file, _WIFI_PASSWORD),
            "transport": str(self.transport) if self.transport else None,
            "tls_fingerprint": self.tls_fingerprint and fingerprint(self.tls_fingerprint),
            "tls_public_key": public_key(self.tls_public_key) if self.tls_public_key else None,
            "tls_ca": ca(self.tls_ca) if self.tls_ca else None,
            "ntp_server": self.ntp_server,
            "ip_address": self.ip_address,
            "ip_gateway": self.ip_gateway,
            "ip_mask": self.ip_mask,
            "ip_dns": self.ip_dns,
            "interval": self.interval,
        }
        return {name: value for name, value in given.items() if value is not None}

    def _check_transport(self) -> None:
        chosen = self.transport or Transport.PLAIN
        for transport, option in _PROOFS.items():
            given = getattr(self, option.removeprefix("--").replace("-", "_")) is not None
            if given and transport is not chosen:
                raise typer.BadParameter(
                    f"It goes with --transport {transport}.", param_hint=f"'{option}'"
                )
            if transport is chosen and not given:
                raise typer.BadParameter(
                    f"{transport} needs {option} as well.", param_hint="'--transport'"
                )
        if self.ntp_server is not None and chosen is not Transport.CA:
            raise typer.BadParameter(
                "It goes with --transport ca: nothing else looks at the time.",
                param_hint="'--ntp-server'",
            )

    def _check_ip(self) -> None:
        given = {name: getattr(self, name) for name in _IP}
        missing = [f"--{name.replace('_', '-')}" for name, value in given.items() if value is None]
        if len(missing) == len(_IP):
            return
        if missing:
            raise typer.BadParameter(
                f"A fixed address needs all four: {', '.join(missing)} as well.",
                param_hint="'--ip-address'",
            )
        for name, value in given.items():
            if name != "ip_mask":
                _address(name, value)
        try:
            network = IPv4Interface(f"{self.ip_address}/{self.ip_mask}").network
        except ValueError:
            network = None
        # A mask turned inside out is one to the library, and none to the board.
        if network is None or str(network.netmask) != self.ip_mask or network.prefixlen > 30:
            raise typer.BadParameter("It is no mask, like 255.255.255.0.", param_hint="'--ip-mask'")
        address, gateway = IPv4Address(self.ip_address), IPv4Address(self.ip_gateway)
        if address in (network.network_address, network.broadcast_address):
            raise typer.BadParameter(
                f"It is the network's own address or everybody's in {network}.",
                param_hint="'--ip-address'",
            )
        if gateway not in network or gateway == address:
            raise typer.BadParameter(
                f"It must be another machine of the network {network}.",
                param_hint="'--ip-gateway'",
            )


def _address(name: str, value: str) -> None:
    try:
        first = IPv4Address(value).packed[0]
    except ValueError:
        first = 0
    if first in (0, 127) or first >= 224:
        raise typer.BadParameter(
            "It is no address of a machine, like 192.168.1.20.",
            param_hint=f"'--{name.replace('_', '-')}'",
        )


_IP: Final = ("ip_address", "ip_gateway", "ip_mask", "ip_dns")
_OF_THE_SKETCH: Final = (
    *("transport", "tls_fingerprint", "tls_public_key", "tls_ca", "ntp_server"),
    *(*_IP, "interval"),
)
_PROOFS: Final = {
    Transport.FINGERPRINT: "--tls-fingerprint",
    Transport.PUBLIC_KEY: "--tls-public-key",
    Transport.CA: "--tls-ca",
}


def _password(file: Path | None, variable: str) -> str | None:
    if file is None:
        return os.environ.get(variable)
    lines = file.read_text().splitlines()
    return lines[0] if lines else ""


# Puts the options of `Surroundings` in the place of a command's parameter ``surroundings``.
with_surroundings: Final = spread(Surroundings, "surroundings")
