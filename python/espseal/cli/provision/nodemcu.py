"""The ``config.lua`` of the NodeMCU firmware."""

from typing import Any, Final

from espseal import Provision
from espseal.cli.provision import as_json
from espseal.cli.provision.surroundings import Surroundings

NEXT: Final = "Upload it to the device as config.lua, beside the firmware, then delete it here."

# What the firmware cannot do without, as its own example has it.
_PLACEHOLDERS: Final = {"wifi_ssid": "YOUR-WIFI", "mqtt_host": "BROKER.EXAMPLE"}

_HEAD: Final = """\
-- {name}, as `espseal provision` wrote it. It holds the device's key: keep it to yourself.
-- sealed.config.example.lua has what else can be set.

return {{
"""
_SENSOR: Final = """\

  -- What to publish, a number or a string; nil: nothing now.
  sensor = function() return adc.read(0) end,
}
"""
_BLOCKS: Final = (
    ("wifi_ssid", "wifi_password"),
    ("mqtt_host", "mqtt_port", "mqtt_user", "mqtt_password"),
    ("address", "device_key", "epoch"),
    ("beacon_topic", "up_topic", "hello_topic", "down_topic"),
)


def render(provisioned: Provision, surroundings: Surroundings) -> str:
    """The file."""
    values = _PLACEHOLDERS | as_json.fields(provisioned, surroundings)
    blocks = [
        "".join(f"  {name} = {_literal(values[name])},\n" for name in names if name in values)
        for names in _BLOCKS
    ]
    shown = "".join(c if c.isprintable() else "?" for c in provisioned.name)
    return _HEAD.format(name=shown) + "\n".join(blocks) + _SENSOR


def _literal(value: Any) -> str:  # noqa: ANN401 (whatever JSON has)
    if isinstance(value, int):
        return str(value)
    # Lua 5.1, 2.1: \\ddd stands for any byte.
    escaped = (
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03d}"
        for byte in str(value).encode()
    )
    return '"' + "".join(escaped) + '"'
