"""A Lua runtime with NodeMCU's surroundings, and the traffic between it and Python.

Lua strings are ``bytes`` here, always: 8-bit data passes unharmed.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.resources import files
from typing import Any, Literal, TypeAlias

LuaVersion: TypeAlias = Literal["5.1", "5.3"]
Value: TypeAlias = Any
"""A Lua value: None, bool, int, float, bytes, or a table or function of the runtime."""


class LuaError(Exception):
    """What a NodeMCU function raises in Lua; the text is the error's message."""


class ScriptError(Exception):
    """A Lua error that the script did not catch."""


class Runtime:
    """One Lua state. Belongs to the thread that made it.

    Arguments:
        version: "5.1" or "5.3".
        read_file: the bytes of a file in flash, or None.
        write_line: takes each line that ``print`` writes.
    """

    def __init__(
        self,
        version: LuaVersion,
        read_file: Callable[[bytes], bytes | None],
        write_line: Callable[[bytes], None],
    ) -> None:
        if version not in ("5.1", "5.3"):
            raise ValueError(f'lua is "5.1" or "5.3", not {version!r}')
        lupa = import_module("lupa.lua" + version.replace(".", ""))
        self._error: type[Exception] = lupa.LuaError
        self._lua = lupa.LuaRuntime(
            encoding=None,
            unpack_returned_tuples=True,
            register_eval=False,
            register_builtins=False,
        )
        self._count = self._lua.eval(b'function() return collectgarbage("count") end')
        self._type = self._lua.eval(b"type")
        prelude = files(__package__).joinpath("prelude.lua").read_bytes()
        load = self._lua.eval(b"loadstring or load")
        self._load = load
        self._guarded, self._object = load(prelude, b"=prelude")(read_file, write_line)
        self._globals = self._lua.globals()
        self._host_error: Exception | None = None

    def define(self, name: str, members: Mapping[str, Value]) -> None:
        """Makes a global table; its functions may raise `LuaError`."""
        self._globals[name.encode()] = self._table(members)

    def object(self, methods: Mapping[str, Callable[..., Value]]) -> Value:
        """Makes an object whose methods are called with a colon; they get no self."""
        return self._object(self._table(methods))

    def table(self, members: Mapping[str, Value] | Mapping[bytes, Value]) -> Value:
        """Makes a table of values."""
        return self._lua.table_from({_key(key): value for key, value in members.items()})

    def call(self, function: Value, *arguments: Value) -> Value:
        """Calls a Lua function.

        Raises:
            ScriptError: an error that the script did not catch.
            Exception: whatever a host function raised other than `LuaError`.
        """
        try:
            result = function(*arguments)
        except self._error as error:
            message = error.args[0] if error.args else ""
            text = message.decode("latin-1") if isinstance(message, bytes) else str(message)
            raise ScriptError(text) from None
        # What failed on the host's side is no business of a pcall in the script.
        if self._host_error is not None:
            raise self._host_error
        return result

    def array(self, values: Sequence[Value]) -> Value:
        """Makes a table of values that are numbered from 1."""
        return self._lua.table_from(list(values))

    def chunk(self, name: bytes, text: bytes) -> Value:
        """Compiles a chunk; the function. Raises `LuaError`."""
        function = self._load(text, b"@" + name)
        if self.type_of(function) != "function":
            raise LuaError(function[1].decode("latin-1"))
        return function

    def run_file(self, name: str) -> Value:
        """``dofile``. Raises `ScriptError`."""
        return self.call(self._globals[b"dofile"], name.encode())

    def global_counts(self, name: str) -> dict[str, int | float]:
        """The numbers in a global table, by name; empty if there is no such table."""
        table = self._globals[name.encode()]
        if table is None or self._type(table) != b"table":
            return {}
        return {
            key.decode("latin-1"): value
            for key, value in table.items()
            if isinstance(key, bytes) and isinstance(value, int | float)
        }

    def memory(self) -> int:
        """Bytes in use by Lua, by its own account."""
        return int(self._count() * 1024)

    def type_of(self, value: Value) -> str:
        """Lua's word for the type of a value."""
        name: bytes = self._type(value)
        return name.decode()

    def _table(self, members: Mapping[str, Value]) -> Value:
        return self._lua.table_from({_key(key): self._member(v) for key, v in members.items()})

    def _member(self, value: Value) -> Value:
        if isinstance(value, Mapping):
            return self._table(value)
        return self._guarded(self._answering(value)) if callable(value) else value

    def _answering(self, function: Callable[..., Value]) -> Callable[..., tuple[Value, ...]]:
        """A Python exception would reach Lua as an object; NodeMCU's errors are strings."""

        def call(*arguments: Value) -> tuple[Value, ...]:
            try:
                result = function(*arguments)
            except LuaError as error:
                return False, str(error).encode("latin-1", "replace")
            except Exception as error:
                self._host_error = self._host_error or error
                raise
            if result is None:
                return (True,)
            return (True, *result) if isinstance(result, tuple) else (True, result)

        return call


def _key(key: str | bytes) -> bytes:
    return key.encode() if isinstance(key, str) else key


class Arguments:
    """What a script passed to a function, taken as NodeMCU's C takes it.

    Arguments:
        function: its name, for the message of an error.
        values: the arguments, without self.
    """

    def __init__(self, function: str, values: Sequence[Value]) -> None:
        self._function = function
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def value(self, number: int) -> Value:
        """Argument ``number``, from 1; None if there is none."""
        return self._values[number - 1] if number <= len(self._values) else None

    def string(self, number: int, default: bytes | None = None) -> bytes:
        """A string or a number as one, like ``luaL_checklstring``. Raises `LuaError`."""
        value = self.value(number)
        if value is None and default is not None:
            return default
        if isinstance(value, bytes):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return b"%.14g" % value if isinstance(value, float) else b"%d" % value
        raise self._wrong(number, "string", value)

    def integer(self, number: int, default: int | None = None) -> int:
        """A 32-bit integer, like ``luaL_checkinteger``. Raises `LuaError`."""
        value = self.value(number)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(number, "number", value)
        # The chip's integers have 32 bits, those of the host's Lua more.
        if value != int(value) or not -(2**31) <= value < 2**31:
            raise self.bad(number, "number has no integer representation")
        return int(value)

    def function(self, number: int) -> Value:
        """A function. Raises `LuaError`."""
        value = self.value(number)
        if not is_function(value):
            raise self._wrong(number, "function", value)
        return value

    def bad(self, number: int, why: str) -> LuaError:
        """The error of an argument that cannot be used."""
        return LuaError(f"bad argument #{number} to '{self._function}' ({why})")

    def _wrong(self, number: int, expected: str, value: Value) -> LuaError:
        return self.bad(number, f"{expected} expected, got {_type_name(value)}")


def is_function(value: Value) -> bool:
    """Whether a value is a Lua function."""
    return type(value).__name__ == "_LuaFunction"


def _type_name(value: Value) -> str:
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, bytes):
        return "string"
    if isinstance(value, int | float):
        return "number"
    return "function" if is_function(value) else "table"
