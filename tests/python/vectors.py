"""Reads `tests/vectors`: records of ``key: value`` lines, blank lines between them."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "vectors"


class Record(dict[str, str]):
    """One record; its bytes are hex."""

    def bytes(self, field: str) -> bytes:
        """The bytes of a field."""
        return bytes.fromhex(self[field])

    def __repr__(self) -> str:
        return self["name"]


def read(file: str) -> list[Record]:
    """Every record of a file; one without any is an error."""
    text = (FOLDER / file).read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    records = []
    for block in lines.split("\n\n"):
        fields = [line.split(":", 1) for line in block.splitlines() if line]
        if fields:
            records.append(Record({key: value.strip() for key, value in fields}))
    if not records:
        msg = f"{file} has no record"
        raise ValueError(msg)
    return records
