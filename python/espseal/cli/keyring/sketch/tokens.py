"""A program as words, strings, numbers and signs: as much of Lua, C++ and Python as it takes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Language = Literal["lua", "c", "python"]

_SUFFIXES: Final[dict[str, Language]] = {
    ".lua": "lua",
    ".py": "python",
    **dict.fromkeys((".ino", ".pde", ".c", ".cc", ".cpp", ".cxx", ".h", ".hpp"), "c"),
}

# What stands in comments, or in `#if 0`, is not in force.
_COMMENTS: Final[dict[Language, str]] = {
    "lua": r"--\[(?P<level>=*)\[.*?\](?P=level)\] | --[^\n]*",
    "c": r"//[^\n]* | /\*.*?\*/ | ^[ \t]*\#[ \t]*if[ \t]+0\b.*?^[ \t]*\#[ \t]*(?:endif|else)\b",
    "python": r"\#[^\n]*",
}
_STRINGS: Final[dict[Language, str]] = {
    "lua": r"\[(?P<long>=*)\[.*?\](?P=long)\]",
    "c": r"(?!)",
    "python": r"(?P<prefix>[bBrRuUfF]{0,2})(?P<quotes>\"\"\"|''').*?(?P=quotes)",
}
_QUOTED: Final = r"(?:[bBrRuUfFL]{1,2})? (?: \"(?:[^\"\\\n]|\\.)*\" | '(?:[^'\\\n]|\\.)*' )"
_WORDS: Final = r"""
    (?P<number> 0[xX][0-9a-fA-F]+ | \d+ )
  | (?P<name> [A-Za-z_]\w* )
  | (?P<sign> [=~!<>]= | :: | -> | \.\. | [^\s\w\\] )
"""


@dataclass(frozen=True)
class Token:
    """One word of a program; ``value`` is what a string or a number stands for."""

    kind: Literal["name", "string", "number", "sign"]
    text: str
    line: int
    value: bytes | int | None = None


def language(path: Path, text: str) -> Language:
    """Which language it is: by the name, else by what is in it."""
    known = _SUFFIXES.get(path.suffix.lower())
    if known is not None:
        return known
    if re.search(
        r"^\s*#\s*(include|define)\b|\b(char|byte|uint8_t|String)\b.*=", text, re.MULTILINE
    ):
        return "c"
    if re.search(r"^\s*(import|from|def)\s+\w+", text, re.MULTILINE):
        return "python"
    return "lua"


def tokens(text: str, language: Language) -> Iterator[Token]:
    """The words in order, without comments."""
    pattern = re.compile(
        rf"""(?P<comment> {_COMMENTS[language]} )
           | (?P<string> {_STRINGS[language]} | {_QUOTED} ) | {_WORDS}""",
        re.VERBOSE | re.DOTALL | re.MULTILINE,
    )
    line, seen = 1, 0
    for match in pattern.finditer(text):
        line += text.count("\n", seen, match.start())
        seen = match.start()
        word = match.group()
        if match["string"] is not None:
            value = _string(word, language)
            # In C++ 'a' is a number.
            if language == "c" and word[0] == "'" and len(value) == 1:
                yield Token("number", word, line, value[0])
            else:
                yield Token("string", word, line, value)
        elif match["number"] is not None:
            yield Token("number", word, line, int(word, 16 if word[:2] in ("0x", "0X") else 10))
        elif match["name"] is not None:
            yield Token("name", word, line)
        elif match["sign"] is not None:
            yield Token("sign", word, line)


def _string(literal: str, language: Language) -> bytes:
    if literal[0] == "[":
        inner = literal[literal.index("[", 1) + 1 : literal.rindex("]", 0, -1)]
        # Lua drops a line end right at the beginning.
        return inner.removeprefix("\r").removeprefix("\n").encode()
    quote = min(at for at in (literal.find('"'), literal.find("'")) if at >= 0)
    prefix, inner = literal[:quote].lower(), literal[quote:]
    width = 3 if inner[:3] in ('"""', "'''") and len(inner) >= 6 else 1
    inner = inner[width:-width]
    return inner.encode() if "r" in prefix else _unescaped(inner, language)


_PLAIN: Final = dict(zip("nrtabfv\n\\\"'?", b"\n\r\t\a\b\f\v\n\\\"'?", strict=True))


def _unescaped(inner: str, language: Language) -> bytes:
    # In Lua \65 is decimal, elsewhere \101 is octal; C++ takes any number of digits after \x.
    digits = r"[0-9]{1,3}" if language == "lua" else r"[0-7]{1,3}"
    hex_digits = r"[0-9a-fA-F]+" if language == "c" else r"[0-9a-fA-F]{2}"
    out = bytearray()
    for match in re.finditer(rf"\\(?:({digits})|x({hex_digits})|(.))|([^\\]+)", inner, re.DOTALL):
        number, hexed, escaped, plain = match.groups()
        if number is not None:
            out.append(int(number, 10 if language == "lua" else 8) & 0xFF)
        elif hexed is not None:
            out.append(int(hexed, 16) & 0xFF)
        elif plain is not None:
            out += plain.encode()
        elif escaped in _PLAIN:
            out.append(_PLAIN[escaped])
        else:
            out += (escaped if language == "lua" else f"\\{escaped}").encode()
    return bytes(out)
