"""A Mosquitto of a test's own: a free port on localhost, its own folder, nothing left behind."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

# Debian installs it outside of an ordinary user's PATH.
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin"
_START = 30.0


class Mosquitto:
    """Debian's broker on a port of its own; a context manager that starts and stops it.

    Arguments:
        folder: where configuration, log and database go; it exists and is empty.
        persistence: keep sessions, queues and retained messages over `stop` and `start`.
        allow_anonymous: whether one may connect without a user name.
        passwords: user names and their passwords.
        acl: the text of an ACL file.
        settings: further lines of the configuration.
    """

    def __init__(
        self,
        folder: Path,
        *,
        persistence: bool = False,
        allow_anonymous: bool = True,
        passwords: dict[str, str] | None = None,
        acl: str | None = None,
        settings: str = "",
    ) -> None:
        self.host = "127.0.0.1"
        self.port = _free_port()
        self._folder = folder
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None
        lines = [
            f"listener {self.port} {self.host}",
            f"allow_anonymous {str(allow_anonymous).lower()}",
            # Started by root it would become the user mosquitto, who owns none of this.
            "user root",
            f"persistence {str(persistence).lower()}",
            f"persistence_location {folder}/",
            "log_type all",
            settings,
        ]
        if passwords is not None:
            file = folder / "passwords"
            file.touch(mode=0o600)
            for name, password in passwords.items():
                _run("mosquitto_passwd", "-b", str(file), name, password)
            lines.append(f"password_file {file}")
        if acl is not None:
            (folder / "acl").write_text(acl)
            (folder / "acl").chmod(0o600)
            lines.append(f"acl_file {folder / 'acl'}")
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text("\n".join(lines) + "\n")

    @property
    def log(self) -> str:
        """Everything that the broker has logged."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def start(self) -> None:
        """Starts the broker and returns once it accepts connections."""
        assert self._process is None, "the broker runs already"
        with self._log.open("ab") as log:
            self._process = _popen("mosquitto", "-c", str(self._configuration), log=log)
        deadline = time.monotonic() + _START
        while not self._accepts():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"mosquitto did not start:\n{self.log[-2000:]}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Ends the broker (SIGTERM), which saves its database if it keeps one."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            # It may be frozen.
            process.send_signal(signal.SIGCONT)
            try:
                process.wait(timeout=_START)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise AssertionError(f"mosquitto did not end:\n{self.log[-2000:]}") from None

    def freeze(self, frozen: bool) -> None:
        """Has it answer nobody, or go on."""
        assert self._process is not None, "the broker does not run"
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def restart(self) -> None:
        """Stops the broker and starts it on the same port."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _accepts(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _popen(*command: str, log: object) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={"PATH": _PATH}
        )
    except FileNotFoundError:
        raise AssertionError(f"{command[0]} is missing: apt-get install mosquitto") from None


def _run(*command: str) -> None:
    process = _popen(*command, log=subprocess.DEVNULL)
    assert process.wait(timeout=_START) == 0, f"{command[0]} failed"
