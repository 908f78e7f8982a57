"""What came over the air, in a form that a terminal and JSON can hold."""

import base64


def decoded(data: bytes | None) -> str | None:
    """Bytes as UTF-8, None if they are not."""
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError:
        return None


def in_json(data: bytes) -> dict[str, str]:
    """Data as JSON can hold it: as text if it is UTF-8, else in base64."""
    text = decoded(data)
    if text is None:
        return {"data": base64.b64encode(data).decode(), "encoding": "base64"}
    return {"data": text, "encoding": "text"}


def printable(text: str) -> str:
    """Text without what would move a terminal's cursor or change its colours."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
