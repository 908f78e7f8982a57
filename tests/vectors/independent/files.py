"""The table of the files: what each holds, and how its records are checked."""

from __future__ import annotations

from typing import Final

from . import aes_siv, session, wycheproof
from .classic import files as classic
from .grammar import Records, VectorFile, parse
from .scenario import files as scenario
from .sealed import files as sealed

FILES: Final[tuple[VectorFile, ...]] = (
    *classic.FILES,
    *session.FILES,
    *aes_siv.FILES,
    *wycheproof.FILES,
    *sealed.FILES,
    *scenario.FILES,
)


def checked(file: VectorFile) -> tuple[str, Records]:
    """Return the text of a file and its records, each checked as a runner would read it."""
    text = file.text()
    records = parse(text)
    for record in records:
        try:
            file.check(record)
        except Exception as error:
            error.add_note(f"in {file.name}, {record['name']}")
            raise
    return text, records
