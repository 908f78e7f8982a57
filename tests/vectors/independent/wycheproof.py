"""The file aes_siv_wycheproof.txt: others' vectors, converted once and checked at each run.

To convert them anew, run this module with the path of Wycheproof's `aes_siv_cmac_test.json`; the
crate `wycheproof` 0.4 has it in `src/data`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from . import aes_siv
from .grammar import Fields, VectorFile, file_text, header_text

NAME: Final = "aes_siv_wycheproof.txt"
PATH: Final = Path(__file__).resolve().parent.parent / NAME

HEADER: Final = """\
AES-SIV-CMAC-256: the cases with keys of 256 bits of Project Wycheproof's aes_siv_cmac_test.json.

From https://github.com/google/wycheproof under the Apache License, Version 2.0 (LICENSE-APACHE).
Changed: converted from JSON to the grammar of these files, with the fields of aes_siv.txt: aad is
first, msg is plaintext, ct is sealed, result is expect."""

COUNT: Final = 148


def converted(document: dict[str, Any]) -> Iterator[Fields]:
    """Yield the records of the parsed JSON."""
    for group in document["testGroups"]:
        if group["keySize"] != 256:
            continue
        for case in group["tests"]:
            yield (
                ("name", f"wycheproof-{case['tcId']}"),
                ("about", f"{case['comment'][:1].upper()}{case['comment'][1:]}."),
                ("key", case["key"]),
                ("components", "1"),
                ("first", case["aad"]),
                ("plaintext", case["msg"]),
                ("sealed", case["ct"]),
                ("expect", case["result"]),
            )


def check(record: dict[str, str]) -> None:
    assert re.fullmatch(r"wycheproof-\d+", record["name"]), "not Wycheproof's"
    aes_siv.check(record)


def main() -> None:
    document = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    PATH.write_text(file_text(HEADER, converted(document)), encoding="utf-8", newline="\n")


def stored() -> str:
    """Return the file as it is: no other program can make it."""
    text = PATH.read_text(encoding="utf-8")
    assert text.startswith(header_text(HEADER)) and text.count("\nname: ") == COUNT, "not whole"
    return text


FILES: Final = (VectorFile(NAME, stored, check),)

if __name__ == "__main__":
    main()
