"""The ``espseal_config.h`` of a sketch."""

from typing import Final

from espseal import Provision
from espseal.cli.provision import as_json
from espseal.cli.provision.surroundings import Surroundings

NEXT: Final = "Put it beside the sketch, and never into a repository: it is the device's key."

# What the sketches cannot do without, as their own examples have it.
_PLACEHOLDER: Final = "CHANGE-ME"

_HEAD: Final = """\
/* {name}, as `espseal provision` wrote it. It holds the device's key: keep it to yourself. */
#ifndef ESPSEAL_CONFIG_H
#define ESPSEAL_CONFIG_H

"""


def render(provisioned: Provision, surroundings: Surroundings) -> str:
    """The file."""
    values = as_json.fields(provisioned, surroundings)
    del values["version"]
    # A Wi-Fi without a password is an open one.
    open_or_unknown = "" if "wifi_ssid" in values else _PLACEHOLDER
    for name, value in {
        "mqtt_host": _PLACEHOLDER,
        "wifi_ssid": _PLACEHOLDER,
        "wifi_password": open_or_unknown,
    }.items():
        values.setdefault(name, value)
    values["address"] = bytes.fromhex(provisioned.address)
    values["device_key"] = provisioned.device_key.expose()
    lines = [f"#define ESPSEAL_{name.upper()} {_literal(value)}" for name, value in values.items()]
    shown = "".join(c if c.isprintable() else "?" for c in provisioned.name)
    # A comment must not end early.
    head = _HEAD.format(name=shown.replace("*/", "* /"))
    return head + "\n".join(lines) + "\n\n#endif\n"


def _literal(value: bytes | str | int) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return "{" + ", ".join(f"0x{byte:02x}" for byte in value) + "}"
    # Octal ends after three digits (C99, 6.4.4.4); a question mark might begin a trigraph.
    escaped = (
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f"\\{byte:03o}"
        for byte in value.encode()
    )
    return '"' + "".join(escaped) + '"'
