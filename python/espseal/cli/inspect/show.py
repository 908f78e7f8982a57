"""An inspected frame of either format: what it is made of, or why it is none."""

from typing import Final

from rich import box
from rich.table import Table
from rich.text import Text

from espseal import Field, Inspection
from espseal.cli import console
from espseal.cli.inspect import claims, words

_STYLES: Final = {
    "enc_iv": "cyan",
    "enc_node": "magenta",
    "enc_data": "green",
    "mac": "yellow",
    "epoch": "blue",
    "address": "magenta",
    "counter": "cyan",
    "V": "yellow",
    "C": "green",
}
_MEANINGS: Final = {
    "enc_iv": "the IV, encrypted under iv_key",
    "enc_node": "who speaks, encrypted under data_key",
    "enc_data": "the data, encrypted under data_key",
    "mac": "HMAC-SHA1 of it all and the session",
}
# How much of a malformed frame is shown on either side of the mistake.
_AROUND: Final = 24
# A narrower terminal has no room for a column that says what the fields of layout `hex` are.
_WIDE: Final = 100


def show_malformed(inspection: Inspection) -> None:
    """Why it is no frame, and where."""
    words.tell(f"This is no frame: {inspection.reason}.", "bold red")
    if inspection.fields:
        _show_table(inspection)
        return
    frame, offset = inspection.frame, inspection.offset or 0
    start = max(0, offset - _AROUND)
    part = frame[start : offset + _AROUND]
    shown = [chr(byte) if 32 <= byte < 127 else "\N{MIDDLE DOT}" for byte in part]
    at = offset - start
    line = Text("  ").append("".join(shown[:at]), "dim").append("".join(shown[at : at + 1]), "red")
    console.out().print(line.append("".join(shown[at + 1 :]), "dim"), soft_wrap=True)
    console.out().print(Text(" " * (2 + at) + f"^ offset {offset}", "red"), soft_wrap=True)


def show_fields(inspection: Inspection) -> None:
    """What it is made of."""
    size = len(inspection.frame)
    if inspection.sealed is None:
        words.tell(f"A classic frame in layout {inspection.layout}, {size} bytes:")
    else:
        armored = ", which came as text" if inspection.armored else ""
        words.tell(f"A sealed frame of {size} bytes{armored}. It claims:")
    _show_table(inspection)


def shown_bytes(inspection: Inspection, field: Field) -> str:
    """The bytes of a field: as they are if they are text, else in hex."""
    content = inspection.frame[field.offset : field.offset + field.size]
    is_text = inspection.format == "classic" and content.isascii() and content.isalnum()
    return content.decode() if is_text else content.hex()


def _show_table(inspection: Inspection) -> None:
    sealed = inspection.format == "sealed"
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("offset", justify="right")
    table.add_column("size", justify="right")
    table.add_column("field")
    explained = sealed or console.out().width >= _WIDE
    if explained:
        table.add_column("what it says" if sealed else "what it is", overflow="fold")
    in_hex = sealed or inspection.layout == "raw"
    table.add_column("bytes, in hex" if in_hex else "bytes", overflow="fold")
    for field in inspection.fields:
        style = _STYLES.get(field.name, "")
        said = claims.said(inspection, field) if sealed else _MEANINGS.get(field.name, "")
        meaning = [Text(said, "" if sealed else "dim")] if explained else []
        content = Text(shown_bytes(inspection, field), style)
        numbers = (Text(str(field.offset)), Text(str(field.size)))
        table.add_row(*numbers, Text(field.name, style), *meaning, content)
    console.out().print(table)
