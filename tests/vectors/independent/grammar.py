"""The text of a file of vectors: writing records, and reading them as a runner does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeAlias

Fields: TypeAlias = Iterable[tuple[str, str]]
Records: TypeAlias = list[dict[str, str]]


class VectorFile(NamedTuple):
    """A file of vectors: how its text is made, and how one of its records is checked."""

    name: str
    text: Callable[[], str]
    check: Callable[[dict[str, str]], None]


LONGEST_LINE: Final = 4200

GRAMMAR: Final = """\
Records are separated by one blank line, fields are "key: value", bytes are lower-case hex,
an empty value is empty bytes. Written by tests/vectors/generate.py; do not edit."""


def header_text(header: str) -> str:
    return "\n".join(f"# {line}".rstrip() for line in header.split("\n")) + "\n"


def lines_text(fields: Fields) -> str:
    return "".join(f"{key}: {value}".rstrip() + "\n" for key, value in fields)


def file_text(header: str, records: Iterable[Fields]) -> str:
    return "\n".join((header_text(header), *(lines_text(fields) for fields in records)))


def parse(text: str) -> Records:
    """Return the records of a file, and hold it to the grammar."""
    assert text.isascii() and text.endswith("\n"), "not lines of ASCII"
    assert not re.search(r"[ \t\r]$", text, re.MULTILINE), "white space at the end of a line"
    longest = max(map(len, text.split("\n")))
    assert longest <= LONGEST_LINE, f"a line of {longest} characters"
    header, *blocks = text[:-1].split("\n\n")
    assert all(line.startswith("#") for line in header.split("\n")), "no header"
    records: Records = []
    for block in blocks:
        fields = [re.fullmatch(r"([a-z_]+):(?: (.+))?", line) for line in block.split("\n")]
        record = {match[1]: match[2] or "" for match in fields if match}
        assert len(record) == len(fields), f"not key: value: {block}"
        assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", record["name"]), record["name"]
        records.append(record)
    names = [record["name"] for record in records]
    assert len(set(names)) == len(names), "a name comes twice"
    return records
