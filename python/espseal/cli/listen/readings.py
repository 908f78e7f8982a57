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
_INSERT: Final = "INSERT INTO readings (time, device, topic, data, text) VALUES (?, ?, ?, ?, ?)"

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
    """The table ``readings``: time, device, topic, data and, where the data is UTF-8, text.

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
            self._database.execute(_TABLE)
            # What is wrong with the table or the file must show now, and not at the first reading.
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute(_INSERT, ("", "", "", b"", ""))
            self._database.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise self._sentence(error) from None

    def keep(self, received: Received) -> None:
        """Commits a fresh reading.

        Raises:
            CommandError: it could not be stored.
        """
        message = received.message
        row = (received.stamp, message.device, message.topic, message.data, received.text)
        try:
            self._database.execute(_INSERT, row)
        except sqlite3.Error as error:
            raise self._sentence(error) from None

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
