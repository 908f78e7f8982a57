"""A serial port: lines out, lines in, and one sentence for all that can happen to it."""

import errno
import os
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final, Self

from espseal.cli.data import printable
from espseal.cli.exits import CommandError

if TYPE_CHECKING:
    import serial

_BAUD: Final = 115200
# In seconds: a read returns after so long at the latest, so that Ctrl-C is heard.
_TICK: Final = 0.1
_WRITE: Final = 10.0
# The UART of the chip holds 128 bytes while the sketch does something else.
_PIECE: Final = 64
_LINE_LONGEST: Final = 4096

try:
    import termios
except ModuleNotFoundError:
    _FAILURES: tuple[type[Exception], ...] = (OSError,)
else:
    # What pyserial lets through of the system: it is no OSError.
    _FAILURES = (OSError, termios.error)


class Line:
    """The port; a context manager that opens and closes it.

    Arguments:
        port: like /dev/ttyUSB0, or COM3.

    Raises:
        CommandError: pyserial is not there, or the port cannot be used.
    """

    def __init__(self, port: str) -> None:
        self._name = printable(port)
        self._port = _new(port)
        self._held = b""

    def __enter__(self) -> Self:
        import serial

        try:
            self._port.open()
        except serial.SerialException as error:
            raise _refused(self._name, error) from None
        except (ValueError, OSError) as error:
            raise CommandError(f"{self._name} cannot be used as a serial port: {error}") from None
        return self

    def __exit__(self, *error: object) -> None:
        # A board that was unplugged cannot be closed in order.
        with suppress(*_FAILURES):
            self._port.close()

    def send(self, line: str) -> None:
        """Writes a line, as slowly as it goes over the wire.

        Raises:
            CommandError: the board is gone.
        """
        data = f"{line}\n".encode()
        for at in range(0, len(data), _PIECE):
            try:
                self._port.write(data[at : at + _PIECE])
                self._port.flush()
            except _FAILURES:
                raise self._gone() from None

    def forget(self) -> None:
        """Drops what has come so far."""
        self._held = b""
        try:
            self._port.reset_input_buffer()
        except _FAILURES:
            raise self._gone() from None

    def next(self, deadline: float) -> str | None:
        """The next line, without its end; None when the time is up.

        Raises:
            CommandError: the board is gone.
        """
        # First: whoever never stops talking must not keep us.
        while monotonic() < deadline:
            line, end, rest = self._held.partition(b"\n")
            if end:
                self._held = rest
                return line.rstrip(b"\r").decode(errors="replace")
            # Whoever never ends a line is not listened to.
            self._held = line[-_LINE_LONGEST:]
            try:
                self._held += self._port.read(max(1, self._port.in_waiting))
            except _FAILURES:
                raise self._gone() from None
        return None

    def _gone(self) -> CommandError:
        return CommandError(
            f"The board on {self._name} is gone: was it unplugged, or does another program read "
            "the port? Try again."
        )


def _new(port: str) -> "serial.Serial":
    try:
        import serial
    except ModuleNotFoundError:
        raise CommandError(
            "the serial port needs the package pyserial: pip install 'espseal[serial]'"
        ) from None
    # Two programs on one port would get half of it each; Windows never lets them.
    exclusive = True if os.name == "posix" else None
    # Without a name it is not opened yet.
    line = serial.Serial(None, _BAUD, timeout=_TICK, write_timeout=_WRITE, exclusive=exclusive)
    # On most boards these two lines are wired to reset and to the loader.
    line.dtr = line.rts = False
    line.port = port
    return line


def _refused(name: str, error: "serial.SerialException") -> CommandError:
    code = error.errno
    if code in (errno.ENOENT, errno.ENXIO, errno.ENODEV) or "FileNotFoundError" in str(error):
        return CommandError(f"There is no port {name}: {_others()}")
    if code in (errno.EAGAIN, errno.EWOULDBLOCK, errno.EBUSY) or "PermissionError" in str(error):
        return CommandError(
            f"Another program uses {name}, a serial monitor perhaps: close it and try again."
        )
    if code in (errno.EACCES, errno.EPERM):
        return CommandError(
            f"You may not use {name}: sudo usermod -aG dialout $USER, then log in anew."
        )
    if "configure port" in str(error):
        return CommandError(f"{name} is no serial port: {_others()}")
    return CommandError(f"{name} cannot be opened: {error.strerror or error}.")


def _others() -> str:
    from serial.tools.list_ports import comports

    found = sorted((each.device, each.description) for each in comports())
    if not found:
        return (
            "there is no serial port at all. Plug the board in; if it is, the cable may be one "
            "for charging only, or the driver of its USB chip is missing."
        )
    listed = (
        device if description in ("n/a", device) else f"{device} ({printable(description)})"
        for device, description in found
    )
    return f"there is {', '.join(listed)}."
