"""The frame that was given: on the command line, from a pipe or in a file."""

import base64
import binascii
from collections.abc import Iterator
from contextlib import suppress

import espseal
from espseal import Inspection, Keyring, Store


def forms(given: bytes) -> Iterator[bytes]:
    """What it may mean: the frame itself, or its bytes in hex or base64."""
    yield given
    # The line end that `mosquitto_sub` and editors put behind binary frames.
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
    """Inspects it in the form in which it opens, else in the first in which it is a frame, else
    as it was given.
    """

    def inspected(form: bytes) -> Inspection:
        return espseal.inspect(form, keyring, sessions=list(sessions), store=store, topic=topic)

    frames = [form for form in forms(given) if not espseal.inspect(form).malformed]
    if not frames:
        # The form that begins like a sealed frame says more of what is wrong with it.
        begun = (form for form in forms(given) if espseal.inspect(form).format == "sealed")
        return inspected(next(begun, given))
    # The hex digits of a sealed frame can have the length of a frame of layout port.
    found = [inspected(form) for form in dict.fromkeys(frames)]
    sealed_last = sorted(found, key=lambda each: each.sealed is None)
    return next(filter(fits, sealed_last), sealed_last[0])


def fits(found: Inspection) -> bool:
    """Whether a key fits."""
    sealed = found.sealed.findings if found.sealed else []
    return any(each.fit for each in found.findings) or any(each.fit for each in sealed)
