"""Generate the test vectors with pyca/cryptography.

This program shares no code with espseal: it is a second implementation of the formats, and the
vectors hold the two together. Whatever looks random is SHA-256 of the vector's name, so every
run writes the same bytes. Before anything is written, the text of each file is parsed again,
every frame is opened and every reject is rejected for the stated reason.
"""

from __future__ import annotations

import argparse
import difflib
from pathlib import Path
from typing import Final

from .files import FILES, checked

FOLDER: Final = Path(__file__).resolve().parent.parent


def main() -> int:
    """Write the files, or compare them; return the exit status."""
    summary, _, details = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(description=summary, epilog=details)
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; compare with the files beside this script, exit 1 if they differ",
    )
    arguments = parser.parse_args()
    if not __debug__:
        parser.error("python -O would skip the checks")
    made = {file.name: checked(file) for file in FILES}
    if arguments.check:
        differences = [
            found for name, (text, _) in made.items() if (found := difference(name, text))
        ]
        print("\n".join(differences) or "the files are as generated")
        return 1 if differences else 0
    for name, (text, records) in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
        print(f"{name}: {len(records)} records")
    return 0


def difference(name: str, text: str) -> str | None:
    """Return how the committed file differs, in a few lines, or None."""
    path = FOLDER / name
    if not path.is_file():
        return f"{name}: missing"
    committed = path.read_text(encoding="utf-8")
    if committed == text:
        return None
    lines = list(
        difflib.unified_diff(
            committed.splitlines(), text.splitlines(), "committed", "generated", "", "", 0, ""
        )
    )
    changes = [line[:100] for line in lines[2:] if line[:1] in "+-"]
    shown = "".join(f"\n    {line}" for line in changes[:6])
    return f"{name}: {len(changes)} lines differ{shown}"
