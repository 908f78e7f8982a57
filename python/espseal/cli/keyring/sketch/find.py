"""What a program says of its keys: where, how long, and what is missing. Never what they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from espseal.cli.keyring.sketch.tokens import Language, Token, language, tokens
from espseal.cli.keyring.sketch.values import Value, value_at

FIELDS: Final = ("iv_key", "data_key", "static_iv", "passphrase")
PORT_BYTES: Final = 64

# As people spell them, in lower case and without underscores.
_NAMES: Final = {
    "ivkey": "iv_key",
    "keyiv": "iv_key",
    "datakey": "data_key",
    "keydata": "data_key",
    "staticiv": "static_iv",
    "ivstatic": "static_iv",
    "passphrase": "passphrase",
    "hmackey": "passphrase",
    "mackey": "passphrase",
    "hashkey": "passphrase",
}
_PREFIXES: Final = ("k", "g", "m", "s", "my", "aes", "mqtt", "crypto", "node", "sensor")


@dataclass(frozen=True)
class Found:
    """A key in a program; ``value`` is None where it is not written out there."""

    line: int
    value: bytes | None = field(repr=False)
    form: str


@dataclass(frozen=True)
class Sketch:
    """What was found.

    Arguments:
        language: of the program.
        keys: the article's four, by their names here; each may stand there several times.
        port: the keys of 64 characters of the Arduino port.
        topics: what it publishes on.
        session_topics: what it subscribes to, if that is called so.
    """

    language: Language
    keys: dict[str, list[Found]]
    port: list[Found]
    topics: list[str]
    session_topics: list[str]


def read(path: Path) -> Sketch:
    """Reads a program. Raises `OSError`."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    kind = language(path, text)
    words = list(tokens(text, kind))
    keys: dict[str, list[Found]] = {name: [] for name in FIELDS}
    port: list[Found] = []
    for name, line, value in _settings(words):
        known = _known(name)
        if known is not None:
            keys[known].append(Found(line, value.data, value.form))
        elif "key" in name and value.data is not None and len(value.data) == PORT_BYTES:
            port.append(Found(line, value.data, value.form))
    subscribed = _arguments(words, "subscribe")
    return Sketch(
        kind,
        keys,
        port,
        list(dict.fromkeys(_arguments(words, "publish"))),
        [each for each in dict.fromkeys(subscribed) if "session" in each.lower()],
    )


def _settings(words: Sequence[Token]) -> Iterator[tuple[str, int, Value]]:
    """Every ``name = value``, in the ways in which it is written."""
    for at, word in enumerate(words):
        if word.kind not in ("name", "string"):
            continue
        # A string may be a key of a table or of a dictionary.
        text = word.text if word.kind == "name" else _text(word)
        start = at + 1 if at > 0 and words[at - 1].text == "define" else _setting(words, at)
        if start is not None:
            yield text.lower().replace("_", ""), word.line, value_at(words, start)


def _setting(words: Sequence[Token], at: int) -> int | None:
    """Where the value begins, if a name is given one."""
    signs = [each.text if each.kind == "sign" else "" for each in words[at + 1 : at + 9]]
    signs += [""] * 9
    here = 0
    # `["ivkey"] =` in Lua, `ivkey[17] =` in C++.
    if signs[here] == "]":
        here += 1
    if signs[here] == "[":
        here += 2 if signs[here + 1] == "]" else 3
        if signs[here - 1] != "]":
            return None
    # `ivkey: bytes =` in Python, `ivkey[] PROGMEM =` in C++.
    if "=" in signs[here + 1 : here + 3] and signs[here] in ("", ":"):
        here = signs.index("=", here)
    # `ivkey("...")` and `ivkey{"..."}` in C++.
    offset = {"=": 1, ":": 1, "(": 1, "{": 0}.get(signs[here])
    return None if offset is None else at + 1 + here + offset


def _arguments(words: Sequence[Token], function: str) -> list[str]:
    """The strings with which calls of this function begin."""
    calls = zip(words, words[1:], words[2:], strict=False)
    return [
        _text(third)
        for first, second, third in calls
        if first.text.lower() == function and second.text == "(" and third.kind == "string"
    ]


def _known(name: str) -> str | None:
    for prefix in ("", *_PREFIXES):
        known = _NAMES.get(name.removeprefix(prefix)) if name.startswith(prefix) else None
        if known is not None:
            return known
    return None


def _text(word: Token) -> str:
    return word.value.decode(errors="replace") if isinstance(word.value, bytes) else ""
