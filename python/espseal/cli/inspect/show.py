"""An inspected frame in tables and sentences."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from rich import box
from rich.table import Table
from rich.text import Text

from espseal import Field, Finding, Fit, Inspection
from espseal.cli import console
from espseal.cli.data import decoded, printable

_STYLES: Final = {"enc_iv": "cyan", "enc_node": "magenta", "enc_data": "green", "mac": "yellow"}
_MEANINGS: Final = {
    "enc_iv": "the IV, encrypted under iv_key",
    "enc_node": "who speaks, encrypted under data_key",
    "enc_data": "the data, encrypted under data_key",
    "mac": "HMAC-SHA1 of it all and the session",
}
# How much of a malformed frame is shown on either side of the mistake.
_AROUND: Final = 24
# The life of a session ID where the keyring says nothing else.
_LIFE: Final = 120


def show_malformed(inspection: Inspection) -> None:
    """Why it is no frame, and where."""
    console.say(f"This is no frame: {inspection.reason}.", "bold red")
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
    console.say(f"A classic frame in layout {inspection.layout}, {size} bytes:")
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    table.add_column("offset", justify="right")
    table.add_column("size", justify="right")
    table.add_column("field")
    # A narrow terminal has no room for both.
    wide = console.out().width >= 100
    if wide:
        table.add_column("what it is")
    table.add_column("bytes" if inspection.layout != "raw" else "bytes, in hex", overflow="fold")
    for field in inspection.fields:
        style = _STYLES.get(field.name, "")
        meaning = [Text(_MEANINGS.get(field.name, ""), "dim")] if wide else []
        content = Text(shown_bytes(inspection, field), style)
        numbers = (Text(str(field.offset)), Text(str(field.size)))
        table.add_row(*numbers, Text(field.name, style), *meaning, content)
    console.out().print(table)


def shown_bytes(inspection: Inspection, field: Field) -> str:
    """The bytes of a field: as they are if they are text, else in hex."""
    content = inspection.frame[field.offset : field.offset + field.size]
    return content.decode() if content.isascii() and content.isalnum() else content.hex()


def show_fit(finding: Finding, fit: Fit, topic: str | None) -> None:
    """Under what it opens, and what it holds."""
    console.out().print()
    console.say(f"It opens under {keys_of(finding)}:", "bold green")
    table = Table.grid(padding=(0, 3))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in _contents(fit):
        table.add_row(f"  {name}", Text(value))
    console.out().print(table)
    for advice in _advice(finding, fit, topic):
        _say(advice, "yellow")


def show_diagnosis(inspection: Inspection, *, sessions: int, stored: bool) -> None:
    """What was tried in vain, and what that leaves."""
    console.out().print()
    console.say("It does not open.", "bold red")
    table = Table.grid(padding=(0, 3))
    for finding in inspection.findings:
        table.add_row(Text(f"  {keys_of(finding)}"), Text("do not fit", "red"))
    console.out().print(table)
    changed = "the device has other keys, or the frame was changed on its way."
    if len(inspection.findings) == 1:
        _say("No group of the keyring has a topic filter that matches this topic.", "yellow")
    elif inspection.layout == "port":
        _say(f"So {changed}", "yellow")
    else:
        tried = ["the empty session"]
        tried += [f"{sessions} given"] * bool(sessions) + ["those of the state"] * stored
        _say(
            "All were tried with text and with binary data, with the MAC over unpadded and over "
            f"padded values, and under {' and '.join(tried)}.",
            "dim",
        )
        _say(
            f"So it has a session that is not known here (--session gives one), {changed}", "yellow"
        )


def keys_of(finding: Finding) -> str:
    """Whose keys were tried: their name, never they themselves."""
    if finding.owner is not None:
        return f"the own keys of {finding.owner}"
    if finding.group is not None:
        return f"the keys of the group {finding.group}"
    return "the keys printed in the article"


def speaker(node: bytes) -> str:
    """Who speaks to whom (CLASSIC.md, Layouts)."""
    sender, arrow, to = node.partition(b">")
    if not arrow:
        return escaped(sender)
    if not sender:
        return f"a command to {escaped(to)}"
    return f"a message of {escaped(sender)} to {escaped(to)}"


def escaped(data: bytes) -> str:
    """Bytes as people read them: as text if they are, else in hex."""
    text = decoded(data)
    return printable(text) if text is not None else f"0x{data.hex()}"


def _say(text: str, style: str) -> None:
    # Broken between words, unlike what is there to be copied.
    console.out().print(Text(text, style))


def _contents(fit: Fit) -> Iterator[tuple[str, str]]:
    if fit.device is not None:
        yield "device", fit.device
    if fit.layout != "port":
        yield "node", speaker(fit.node)
    yield "data", escaped(fit.data) if fit.data else "(empty)"
    yield "iv", f'"{escaped(fit.iv)}"'
    yield "session", _session(fit)
    if fit.layout != "port":
        yield "made with", f'data = "{fit.mode}", mac = "{fit.mac}"'


def _session(fit: Fit) -> str:
    if fit.session == "given":
        return "the one given"
    if fit.session == "empty":
        return "the empty one"
    if fit.session == "none" or fit.session_time is None:
        return "none: this layout has none"
    minted = datetime.fromtimestamp(fit.session_time, UTC).astimezone()
    return f"ours, minted {minted:%Y-%m-%d %H:%M:%S}, {_age(fit.session_time)} s ago"


def _age(time: int) -> int:
    return round(datetime.now(UTC).timestamp() - time)


def _advice(finding: Finding, fit: Fit, topic: str | None) -> Iterator[str]:
    """Why a receiver may refuse it all the same."""
    if finding.group is None:
        yield "Everyone knows these keys: draw new ones (espseal keyring add group)."
        return
    if not fit.as_in_keyring:
        yield (
            f'The keyring says otherwise, so a receiver answers forged: write data = "{fit.mode}" '
            f'and mac = "{fit.mac}" in the group {finding.group}.'
        )
    if fit.session in ("empty", "none"):
        yield (
            "It has no session, so anyone could have recorded it: a receiver answers "
            "stale_session, unless the group says danger_accept_replays = true."
        )
    elif fit.session_time is not None and _age(fit.session_time) > _LIFE:
        yield (
            f"Its session is older than {_LIFE} s: a receiver answers stale_session, unless "
            "session_life is longer. Does the device hear the session topic?"
        )
    if b">" in fit.node:
        yield "It is no reading: a receiver of readings answers wrong_direction."
    elif fit.device is None and (fit.layout != "port" or topic is not None):
        yield "The keyring does not list it: a receiver answers unknown_device."
    elif fit.device is None:
        yield "In layout port the topic names the device: --topic says which it is."
