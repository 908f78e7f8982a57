"""What a receiver that starts now would say of a frame: it is asked, on a copy of the state."""

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.text import Text

from espseal import Inspection, Keyring, Message, Receiver, Store, Verdict
from espseal.cli import console
from espseal.cli.exits import CommandError
from espseal.cli.inspect import words
from espseal.cli.listen.show import style


def ask(frame: bytes, keyring: Keyring, state: Path, topic: str | None) -> Message:
    """Opens the frame; the state is left as it is.

    Raises:
        CommandError: the state cannot be read.
    """
    with TemporaryDirectory(prefix="espseal-") as folder:
        copy = Path(folder) / "state.sqlite3"
        copy.touch(mode=0o600)
        try:
            with (
                closing(
                    sqlite3.connect(f"{state.absolute().as_uri()}?mode=ro", uri=True)
                ) as source,
                closing(sqlite3.connect(copy)) as target,
            ):
                source.backup(target)
        except sqlite3.Error as error:
            raise CommandError(f"{state}: cannot be read ({error}).") from None
        receiver = Receiver(keyring, Store.sqlite(copy), authority=False)
        return receiver.open(frame, topic=topic)


def show(answer: Message, found: Inspection) -> None:
    """Says it."""
    console.out().print()
    verdict = answer.verdict
    said = ("A receiver that starts now on this state answers ", (verdict.value, style(verdict)))
    console.out().print(Text.assemble(*said, f": {answer.reason}."))
    left = _left(found)
    # CLASSIC.md, I4: to one that starts, all sessions before it have expired.
    if verdict == Verdict.STALE_SESSION and left > 0:
        words.advise(
            "One that has been running since the session was minted does not find it stale for "
            f"another {left} s."
        )


def _left(found: Inspection) -> int:
    classic = [words.left(each.fit) for each in found.findings if each.fit]
    sealed = found.sealed.findings if found.sealed else []
    return max(classic + [words.left(each.fit) for each in sealed if each.fit], default=0)
