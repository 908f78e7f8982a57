"""``file``: the flat file system in flash. What was not flushed or closed dies with the power."""

import re
from typing import TYPE_CHECKING

from espseal.simulator.lua import Arguments, LuaError, Value

if TYPE_CHECKING:
    from espseal.simulator.machine import Machine

_CHUNK = 1024
_NAME_MAX = 31
_MODES = re.compile(rb"[rwa]\+?\Z")


def define(machine: "Machine") -> None:
    """Defines ``file``: the object model, and the functions that take a name."""
    flash = machine.board.flash

    def open_(*values: Value) -> Value:
        arguments = Arguments("open", values)
        name, mode = arguments.string(1), arguments.string(2, b"r")
        if not _MODES.match(mode):
            raise arguments.bad(2, "invalid mode")
        if len(name) > _NAME_MAX or (mode[:1] == b"r" and name not in flash):
            return None
        return machine.lua.object(_File(flash, name, mode).methods())

    def rename(*values: Value) -> bool:
        arguments = Arguments("rename", values)
        old, new = arguments.string(1), arguments.string(2)
        if old not in flash or new in flash or len(new) > _NAME_MAX:
            return False
        flash[new] = flash.pop(old)
        return True

    def put(*values: Value) -> bool:
        arguments = Arguments("putcontents", values)
        flash[arguments.string(1)] = arguments.string(2)
        return True

    machine.lua.define(
        "file",
        {
            "open": open_,
            "rename": rename,
            "putcontents": put,
            "exists": lambda *values: Arguments("exists", values).string(1) in flash,
            "getcontents": lambda *values: flash.get(Arguments("getcontents", values).string(1)),
            "remove": lambda *values: _remove(flash, Arguments("remove", values).string(1)),
            "list": lambda *_: machine.lua.table({name: len(flash[name]) for name in flash}),
        },
    )


def _remove(flash: dict[bytes, bytes], name: bytes) -> None:
    flash.pop(name, None)


class _File:
    def __init__(self, flash: dict[bytes, bytes], name: bytes, mode: bytes) -> None:
        self._flash = flash
        self._name = name
        self._text = bytearray() if mode[:1] == b"w" else bytearray(flash.get(name, b""))
        self._at = 0
        self._appends = mode[:1] == b"a"
        self._writable = mode != b"r"
        self._readable = mode == b"r" or mode.endswith(b"+")
        self._open = True
        if self._writable:
            self._flush()

    def methods(self) -> dict[str, Value]:
        return {
            "read": self._read,
            "readline": lambda *_: self._read(b"\n"),
            "write": self._write,
            "writeline": lambda *values: self._write(
                Arguments("writeline", values).string(1) + b"\n"
            ),
            "seek": self._seek,
            "flush": self._flush,
            "close": self._close,
        }

    def _read(self, *values: Value) -> bytes | None:
        self._check_open()
        arguments = Arguments("read", values)
        limit, end = _CHUNK, None
        if isinstance(arguments.value(1), bytes):
            end = arguments.string(1)
        else:
            limit = arguments.integer(1, _CHUNK)
        if not self._readable or self._at >= len(self._text):
            return None
        part = bytes(self._text[self._at : self._at + limit])
        if end and end in part:
            part = part[: part.index(end) + len(end)]
        self._at += len(part)
        return part

    def _write(self, *values: Value) -> bool | None:
        self._check_open()
        text = Arguments("write", values).string(1)
        if not self._writable:
            return None
        if self._appends:
            self._at = len(self._text)
        self._text[self._at : self._at + len(text)] = text
        self._at += len(text)
        return True

    def _seek(self, *values: Value) -> int | None:
        self._check_open()
        arguments = Arguments("seek", values)
        bases = {b"set": 0, b"cur": self._at, b"end": len(self._text)}
        whence = arguments.string(1, b"cur")
        if whence not in bases:
            raise arguments.bad(1, "invalid option")
        place = bases[whence] + arguments.integer(2, 0)
        if not 0 <= place <= len(self._text):
            return None
        self._at = place
        return place

    def _flush(self, *_: Value) -> None:
        self._check_open()
        if self._writable:
            self._flash[self._name] = bytes(self._text)

    def _close(self, *_: Value) -> None:
        if self._open:
            self._flush()
            self._open = False

    def _check_open(self) -> None:
        if not self._open:
            raise LuaError("open a file first")
