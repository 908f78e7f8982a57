"""The text in which the reference sketch keeps its settings, and the checksum over what is sent."""

import zlib
from collections.abc import Mapping
from typing import Final

# In the order of the stored text, with what holds if nothing is given.
_KEPT: Final = {
    **dict.fromkeys(("name", "address")),
    "up_topic": "espseal/{address}/up",
    "hello_topic": "espseal/{address}/hello",
    "down_topic": "espseal/{address}/down",
    **dict.fromkeys(("beacon_topic", "wifi_ssid", "wifi_password")),
    **dict.fromkeys(("ip_address", "ip_gateway", "ip_mask", "ip_dns", "mqtt_host")),
    "mqtt_port": "1883",
    **dict.fromkeys(("mqtt_user", "mqtt_password")),
    "transport": "plain",
    **dict.fromkeys(("tls_fingerprint", "tls_public_key", "tls_ca")),
    "ntp_server": "pool.ntp.org",
    "interval": "60",
}
_OVER_TLS: Final = {"mqtt_port": "8883"}
# The board's library keeps them in a record of its own.
_IDENTITY: Final = ("device_key", "epoch")

FIELDS: Final = (*_KEPT, *_IDENTITY)


def text(fields: Mapping[str, str]) -> str:
    """``name=value`` in a line each, in one order, without what holds anyway.

    Arguments:
        fields: by the words of the provisioning file; what is empty is not given.
    """
    plain = fields.get("transport", "plain") == "plain"
    initial = _KEPT if plain else _KEPT | _OVER_TLS
    given = {name: fields.get(name) for name in _KEPT}
    return "".join(
        f"{name}={value}\n" for name, value in given.items() if value and value != initial[name]
    )


def checksum(fields: Mapping[str, str]) -> int:
    """The CRC-32 of the settings and of the key that goes with them."""
    identity = "".join(f"{name}={fields[name]}\n" for name in _IDENTITY)
    return zlib.crc32((text(fields) + identity).encode())
