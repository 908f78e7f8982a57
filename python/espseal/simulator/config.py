"""A Python mapping as the text of ``config.lua``."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


@dataclass(frozen=True)
class LuaSource:
    """A value of the configuration that is written as Lua, such as a function."""

    text: str


def render(config: Mapping[str, Any]) -> bytes:
    """Writes ``config.lua``. Without a ``sensor`` it reads the ADC, as the example does.

    Arguments:
        config: the fields of ``config.example.lua``; values are str (as UTF-8), bytes, bool, int,
            float, nested mappings, sequences or `LuaSource`; None leaves a field out.

    Raises:
        TypeError: a value that has no Lua form, or a field that is no name.
    """
    sensor = LuaSource("function() return adc.read(0) end")
    return f"return {_literal({'sensor': sensor, **config})}\n".encode("latin-1")


def _literal(value: object) -> str:
    if isinstance(value, LuaSource):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return '"' + "".join(map(_character, value)) + '"'
    if isinstance(value, Mapping):
        fields = (f"{_name(key)} = {_literal(v)}" for key, v in value.items() if v is not None)
        return "{" + ", ".join(fields) + "}"
    if isinstance(value, Sequence):
        return "{" + ", ".join(map(_literal, value)) + "}"
    raise TypeError(f"config.lua cannot hold a {type(value).__name__}")


def _name(key: object) -> str:
    if not isinstance(key, str) or not _NAME.match(key):
        raise TypeError(f"{key!r} is no field name of config.lua")
    return key


def _character(byte: int) -> str:
    plain = 32 <= byte < 127 and byte not in b'"\\'
    return chr(byte) if plain else f"\\{byte:03d}"
