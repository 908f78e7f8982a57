"""Fresh readings in an SQLite file of the user's."""

import sqlite3
from pathlib import Path
from typing import Final, Self

from espseal.cli.exits import CommandError
from espseal.cli.listen.received import Received

_TABLE: Final = """
    CREATE TABLE IF NOT EXISTS readings (
        time TEXT NOT NULL, device TEXT NOT NULL, topic TEXT, data BLOB NOT NULL, text TEXT
    )
"""
# What a table of an earlier version has, and what was added since; null for classic frames.
_OLD: Final = {"time", "device", "topic", "data", "text"}
_NEW: Final = {
    "address": "TEXT",
    # No type: an integer, or the digits of one that SQLite's do not reach.
    "counter": "",
    "epoch": "INTEGER",
    "advanced": "INTEGER",
    "missing": "INTEGER",
}
# A reading that was stored comes again if the process died before the receiver knew that.
_INDEX: Final = """
    CREATE UNIQUE INDEX IF NOT EXISTS readings_sealed ON readings (address, counter)
    WHERE address IS NOT NULL
"""
_INSERT: Final = """
    INSERT INTO readings
    (time, device, topic, data, text, address, counter, epoch, advanced, missing)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (address, counter) WHERE address IS NOT NULL DO NOTHING
"""
_INTEGER_MAX: Final = 2**63 - 1

_SENTENCES: Final = {
    sqlite3.SQLITE_NOTADB: "is no SQLite database; name another file",
    sqlite3.SQLITE_CORRUPT: "is damaged",
    sqlite3.SQLITE_READONLY: "cannot be written; is it, and its folder, yours?",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; is there such a folder, and is it yours?",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_BUSY: "another program has locked it for seconds",
    sqlite3.SQLITE_LOCKED: "another program has locked it for seconds",
}


class Readings:
    """The table ``readings``: time, device, topic, data and, where the data is UTF-8, text; of
    sealed devices also address, counter, epoch, whether it advanced, and what is missing before.

    A table of an earlier version gets the columns that it lacks.

    Raises:
        CommandError: the file cannot be used; it was left as it is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            # Autocommit: each reading is on the disk before the next one is looked at.
            # Another thread than this one writes; never two at a time.
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._migrate()
        except sqlite3.Error as error:
            raise self._sentence(error) from None

    def keep(self, received: Received) -> None:
        """Commits a fresh reading.

        Raises:
            CommandError: it could not be stored.
        """
        row = _row(received)
        try:
            self._database.execute(_INSERT, row)
        except sqlite3.Error as error:
            raise self._sentence(error) from None

    def _migrate(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.execute(_TABLE)
            columns = {row[1] for row in self._database.execute("PRAGMA table_info(readings)")}
            # A table of someone else's is left as it is.
            for name, kind in _NEW.items() if columns >= _OLD else ():
                if name not in columns:
                    self._database.execute(f"ALTER TABLE readings ADD COLUMN {name} {kind}")
            if columns >= _OLD:
                self._database.execute(_INDEX)
            # What is wrong with the table or the file must show now, and not at the first reading.
            self._database.execute("SAVEPOINT probe")
            self._database.execute(_INSERT, ("", "", "", b"", "", None, None, None, None, None))
            self._database.execute("ROLLBACK TO probe")
        except sqlite3.Error:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def close(self) -> None:
        """Ends the use of the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _sentence(self, error: sqlite3.Error) -> CommandError:
        # The lower byte is the primary code.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return CommandError(f"{self._path}: {_SENTENCES.get(code, error)}.".replace("?.", "?"))


def _row(received: Received) -> tuple[object, ...]:
    message = received.message
    reading = (received.stamp, message.device, message.topic, message.data, received.text)
    if message.address is None:
        return *reading, None, None, None, None, None
    counter: int | str | None = message.counter
    if isinstance(counter, int) and counter > _INTEGER_MAX:
        # No device gets there; one that lies must not stop the others.
        counter = str(counter)
    missing = max(0, received.missing)
    return *reading, message.address, counter, message.epoch, message.advanced, missing
