"""Values as programs write them: strings, arrays of bytes, hex digits that are decoded."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from espseal.cli.keyring.sketch.tokens import Token

# What turns hex digits into bytes; `hex` in a table of ours: {hex = "..."}.
_FROM_HEX: Final = ("fromhex", "unhexlify", "hex2bin", "hextobytes", "hex")
# What leaves a value as it is; any other function may make something else of it.
_AS_IT_IS: Final = ("string", "f", "pstr", "bytes", "bytearray", "text", *_FROM_HEX)
_BYTES: Final = 256


@dataclass(frozen=True)
class Value:
    """Bytes, and how they were written; None if they are not written out."""

    data: bytes | None = field(repr=False)
    form: str


_NONE: Final = Value(None, "not written out")


def value_at(words: Sequence[Token], at: int) -> Value:
    """The value that begins here, within ``String(...)``, ``bytes.fromhex(...)`` and the like."""
    is_hex = False
    while at < len(words):
        word = words[at]
        following = words[at + 1].text if at + 1 < len(words) else ""
        if word.kind == "string":
            return _string(words, at, is_hex=is_hex)
        if word.kind == "name" and following in ("(", ".", "::", ":", "=", "{"):
            name = word.text.lower()
            if following not in (".", "::", ":") and name not in _AS_IT_IS:
                break
            is_hex = is_hex or name in _FROM_HEX
            at += 1 if following == "{" else 2
        elif word.text == "(":
            # A cast, or only brackets.
            end = next((i for i in range(at, min(at + 6, len(words))) if words[i].text == ")"), at)
            is_cast = end > at and all(each.kind != "string" for each in words[at:end])
            at = end + 1 if is_cast else at + 1
        elif word.text in ("{", "["):
            if word.text == "[" or (at + 1 < len(words) and words[at + 1].kind == "number"):
                return _array(words, at + 1)
            at += 1
        else:
            break
    return _NONE


def _string(words: Sequence[Token], at: int, *, is_hex: bool) -> Value:
    # Adjacent strings are one, in C++ and Python.
    data = b""
    while at < len(words) and isinstance(words[at].value, bytes):
        data += words[at].value  # type: ignore[operator]
        at += 1
    if at < len(words) and words[at].text in ("..", "+", "%"):
        return _NONE
    if not is_hex:
        return Value(data, "text")
    try:
        return Value(bytes.fromhex(data.decode("ascii")), "hex")
    except ValueError:
        return _NONE


def _array(words: Sequence[Token], at: int) -> Value:
    data = bytearray()
    for word in words[at:]:
        if isinstance(word.value, int) and word.value < _BYTES:
            data.append(word.value)
        elif word.text in ("}", "]"):
            # The end of a C string is not part of it.
            if data and data[-1] == 0 and len(data) % 8 == 1:
                del data[-1]
            return Value(bytes(data), "bytes") if data else _NONE
        elif word.text != ",":
            break
    return _NONE
