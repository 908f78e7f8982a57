"""The frame that was given: on the command line, from a pipe or in a file."""

import base64
import binascii
from collections.abc import Iterator
from contextlib import suppress

import espseal
from espseal import Inspection, Keyring, Store


def forms(given: bytes) -> Iterator[bytes]:
    """What it may mean: the frame itself, or its bytes in hex or base64. No two fit one frame."""
    yield given
    # The line end that `mosquitto_sub` and editors put behind a raw frame.
    yield given.removesuffix(b"\n").removesuffix(b"\r")
    text = b"".join(given.split())
    with suppress(binascii.Error):
        yield binascii.unhexlify(text)
    with suppress(binascii.Error):
        yield base64.b64decode(text.translate(bytes.maketrans(b"-_", b"+/")), validate=True)


def inspect(
    given: bytes,
    keyring: Keyring | None,
    *,
    sessions: list[str],
    store: Store | None,
    topic: str | None,
) -> Inspection:
    """Inspects it in the first form in which it is a frame, else as it was given."""
    frame = next((each for each in forms(given) if not espseal.inspect(each).malformed), given)
    return espseal.inspect(frame, keyring, sessions=list(sessions), store=store, topic=topic)
