"""The reference sketch over TLS: each way to know the server, with a right and a wrong server."""

import contextlib
import datetime
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

import espseal
from broker import Mosquitto
from support import wait_for

from .authority import DAY, Authority, Certificate, new_key
from .hosting import Host
from .reference_board import Reference, running, settings_of

CHOICES = ("fingerprint", "public_key", "ca", "insecure")


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Secure:
    """A broker with a listener for TLS, which a board uses, and a plain one for the host."""

    def __init__(self, folder: Path, server: Certificate, more: str = "") -> None:
        self.folder = folder
        self.port = free_port()
        folder.mkdir()
        self.show(server)
        self.plain = Mosquitto(
            folder,
            settings=f"listener {self.port} 127.0.0.1\ncertfile {folder}/server.crt\n"
            f"keyfile {folder}/server.key\n{more}",
        )

    def show(self, server: Certificate) -> None:
        """Which certificate it shows from its next start on."""
        server.write(self.folder)

    def __enter__(self) -> Self:
        self.plain.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.plain.stop()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def server(authority: Authority) -> Certificate:
    return authority.issue()


@pytest.fixture
def board(tmp_path: Path) -> Reference:
    folder = tmp_path / "board"
    folder.mkdir()
    (folder / "ntp").write_text("now")
    return Reference(folder)


@pytest.fixture
def broker(tmp_path: Path, server: Certificate) -> Iterator[Secure]:
    with Secure(tmp_path / "broker", server) as broker:
        yield broker


@pytest.fixture
def host(broker: Secure, keyring: espseal.Keyring, tmp_path: Path) -> Iterator[Host]:
    with Host(broker.plain, keyring, tmp_path) as host:
        yield host


def over_tls(
    given: espseal.Provision, port: int, choice: str, server: Certificate, authority: Authority
) -> dict[str, str]:
    """The settings of a board that knows this server, or its authority, in this way."""
    known = {
        "fingerprint": {"tls_fingerprint": server.fingerprint},
        "public_key": {"tls_public_key": server.public_key},
        "ca": {"tls_ca": authority.text},
        "insecure": {},
    }[choice]
    return settings_of(given, mqtt_host="localhost", mqtt_port=port, transport=choice, **known)


@pytest.mark.parametrize("choice", CHOICES)
def test_the_right_server(
    board: Reference,
    host: Host,
    broker: Secure,
    given: espseal.Provision,
    server: Certificate,
    authority: Authority,
    choice: str,
) -> None:
    settings = over_tls(given, broker.port, choice, server, authority)
    with running(board, settings, given):
        wait_for(lambda: len(host.readings) >= 2, "readings")
        wait_for(lambda: host.sender.is_ready("lamp"), "a session of the device")
        host.publish(host.sender.seal("lamp", "on"))
        board.wait_for_line("pin 5 is 1")
    # The small buffers, and what is left of the heap.
    assert board.heard("TLS: the server agrees to records of 512 bytes.") == 1
    assert board.heard("Free heap: 40000 bytes") >= 1
    assert board.heard("WARNING: transport is insecure") == (1 if choice == "insecure" else 0)
    # It is sealed within TLS too.
    assert {frame[0] for _, frame in host.frames} == {0xF5}


def test_the_warning_comes_at_each_boot(
    board: Reference,
    broker: Secure,
    given: espseal.Provision,
    server: Certificate,
    authority: Authority,
) -> None:
    with running(board, over_tls(given, broker.port, "insecure", server, authority), given):
        pass
    board.on()
    board.wait_for_line("WARNING: transport is insecure", 2)
    board.off()


def test_an_rsa_key_is_pinned(
    tmp_path: Path,
    board: Reference,
    keyring: espseal.Keyring,
    given: espseal.Provision,
    authority: Authority,
) -> None:
    server = authority.issue(key=new_key("rsa"))
    with Secure(tmp_path / "rsa", server) as broker, Host(broker.plain, keyring, tmp_path) as host:
        settings = over_tls(given, broker.port, "public_key", server, authority)
        with running(board, settings, given):
            wait_for(lambda: host.readings, "a reading")


@dataclass
class Wrong:
    """A server that is not the one that the board knows, and what the board says of it."""

    choice: str
    number: int
    words: str
    by: str = ""  # another authority, of that name
    host: str = "localhost"
    key: str = "ec"
    begins: datetime.timedelta = -DAY
    ends: datetime.timedelta = 90 * DAY


WRONG = {
    "another fingerprint": Wrong("fingerprint", 62, "another fingerprint than tls_fingerprint"),
    "another key": Wrong("public_key", 27, "another key than tls_public_key"),
    "a key of another type": Wrong("public_key", 28, "RSA and P-256 are not the same", key="rsa"),
    "another authority": Wrong("ca", 62, "does not come from tls_ca", by="a stranger"),
    "an authority of that name": Wrong("ca", 62, "from tls_ca", by="the house's own CA"),
    "expired": Wrong("ca", 54, "has expired", begins=-60 * DAY, ends=-DAY),
    "not valid yet": Wrong("ca", 54, "not valid yet", begins=DAY, ends=60 * DAY),
    "another name": Wrong("ca", 56, "for another name than mqtt_host", host="other.example"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_wrong_server(
    tmp_path: Path,
    board: Reference,
    keyring: espseal.Keyring,
    given: espseal.Provision,
    server: Certificate,
    authority: Authority,
    wrong: str,
) -> None:
    case = WRONG[wrong]
    by = Authority(case.by) if case.by else authority
    false = by.issue(case.host, key=new_key(case.key), begins=case.begins, ends=case.ends)
    with Secure(tmp_path / "false", false) as broker, Host(broker.plain, keyring, tmp_path) as host:
        settings = over_tls(given, broker.port, case.choice, server, authority)
        with running(board, settings, given):
            line = board.wait_for_line("Broker: not connected", 2)
            assert f"TLS error {case.number}: " in line
            assert case.words in line
            assert board.heard("Broker: connected") == 0
            # The false server did not even get the name of the client.
            assert " as esp8266" not in broker.plain.log
            assert not host.frames
            # The right one takes its place, and all is well.
            broker.show(server)
            broker.plain.restart()
            board.wait_for_line("Broker: connected")
            wait_for(lambda: host.readings, "a reading")
            assert " as esp8266" in broker.plain.log


RENEWED = {
    # Which choices go on when the certificate is renewed: with the same key, with a new one.
    "fingerprint": (False, False),
    "public_key": (True, False),
    "ca": (True, True),
    "insecure": (True, True),
}


@pytest.mark.parametrize("same_key", [True, False], ids=["same key", "new key"])
@pytest.mark.parametrize("choice", CHOICES)
def test_a_renewed_certificate(
    board: Reference,
    host: Host,
    broker: Secure,
    given: espseal.Provision,
    server: Certificate,
    authority: Authority,
    choice: str,
    same_key: bool,
) -> None:
    settings = over_tls(given, broker.port, choice, server, authority)
    with running(board, settings, given):
        board.wait_for_line("Broker: connected")
        renewed = authority.issue(key=server.key if same_key else None)
        broker.show(renewed)
        broker.plain.restart()
        if RENEWED[choice][0 if same_key else 1]:
            board.wait_for_line("Broker: connected", 2)
            return
        board.wait_for_line("TLS error ")
        assert board.heard("Broker: connected") == 1
        # It is told the new one over the port, and keeps its key.
        board.provision(over_tls(given, broker.port, choice, renewed, authority), None)
        board.wait_for_line("Broker: connected", 2)
        wait_for(lambda: host.sender.is_ready("lamp"), "a session of the device")


def test_an_address_is_no_name(
    board: Reference,
    broker: Secure,
    given: espseal.Provision,
    server: Certificate,
    authority: Authority,
) -> None:
    settings = over_tls(given, broker.port, "ca", server, authority)
    with running(board, settings | {"mqtt_host": "127.0.0.1"}, given):
        assert "an IP address never is: set a name" in board.wait_for_line("TLS error 56")


def test_it_waits_for_the_time_before_it_trusts_a_ca(
    board: Reference,
    broker: Secure,
    given: espseal.Provision,
    server: Certificate,
    authority: Authority,
) -> None:
    (board.folder / "ntp").unlink()
    settings = over_tls(given, broker.port, "ca", server, authority)
    with running(board, settings | {"ntp_server": "ntp.house.example"}, given):
        board.wait_for_line("TLS: waiting for the time from ntp.house.example (UDP port 123)")
        assert board.heard("Broker: connected") == 0
        (board.folder / "ntp").write_text("now")
        board.wait_for_line("Broker: connected")
    # It was said once, and nobody was called before.
    assert board.heard("TLS: waiting") == 1
    assert board.heard("Broker: not connected") == 0


def test_a_clock_that_is_ahead_finds_everything_expired(
    board: Reference,
    broker: Secure,
    given: espseal.Provision,
    server: Certificate,
    authority: Authority,
) -> None:
    later = datetime.datetime.now(datetime.UTC) + 100 * DAY
    (board.folder / "ntp").write_text(str(int(later.timestamp())))
    with running(board, over_tls(given, broker.port, "ca", server, authority), given):
        assert "at the time that the board has from NTP" in board.wait_for_line("TLS error 54")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("tls_version tlsv1.3", "another version of TLS"),
        (
            "require_certificate true\ncafile {folder}/server.crt",
            "may want a certificate of the board",
        ),
        ("tls_version tlsv1.2\nciphers ECDHE-ECDSA-ARIA128-GCM-SHA256", "no cipher suite"),
    ],
    ids=["TLS 1.3 alone", "clients need certificates", "no suite in common"],
)
def test_a_server_that_refuses(
    tmp_path: Path,
    board: Reference,
    given: espseal.Provision,
    server: Certificate,
    authority: Authority,
    more: str,
    words: str,
) -> None:
    folder = tmp_path / "strict"
    with (
        Secure(folder, server, more.format(folder=folder)) as broker,
        running(board, over_tls(given, broker.port, "insecure", server, authority), given),
    ):
        assert words in board.wait_for_line("TLS error ")


def test_nobody_there_and_a_port_that_is_not_for_tls(
    board: Reference,
    broker: Secure,
    given: espseal.Provision,
    server: Certificate,
    authority: Authority,
) -> None:
    nobody = over_tls(given, free_port(), "fingerprint", server, authority)
    with running(board, nobody, given):
        assert "Is the broker on" in board.wait_for_line("Broker: not connected")
        board.provision(nobody | {"mqtt_port": str(broker.plain.port)}, None)
        before = board.heard("Broker: not connected")
        line = board.wait_for_line("Broker: not connected", before + 1)
        assert "is it the port of TLS (8883)" in line
        board.provision(nobody | {"mqtt_port": str(broker.port)}, None)
        board.wait_for_line("Broker: connected")


@contextmanager
def unaware(port: int) -> Iterator[int]:
    """A server in front of another, in which max_fragment_length (extension 1) is not known: the
    first eight who ask, twice for each length, get no answer to that; the port that it has."""
    known, unknown = bytes.fromhex("00010001"), bytes.fromhex("5a5a0001")
    asked = 0
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(4096):
                target.sendall(piece)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def serve(client: socket.socket) -> None:
        nonlocal asked
        with client, socket.create_connection(("127.0.0.1", port)) as broker:
            hello = client.recv(4096)
            if known in hello and asked < 8:
                asked += 1
                hello = hello.replace(known, unknown)
            broker.sendall(hello)
            back = threading.Thread(target=pump, args=(broker, client))
            back.start()
            pump(client, broker)
            back.join()

    def listen() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                thread = threading.Thread(target=serve, args=(client,))
                thread.start()
                threads.append(thread)

    accepting = threading.Thread(target=listen)
    accepting.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for thread in threads:
            thread.join()


def test_a_server_without_small_records(
    board: Reference,
    broker: Secure,
    given: espseal.Provision,
    server: Certificate,
    authority: Authority,
) -> None:
    with unaware(broker.port) as port:
        settings = over_tls(given, port, "fingerprint", server, authority)
        (board.folder / "heap").write_text("20000")
        with running(board, settings, given):
            board.wait_for_line("the board needs room for 16384 bytes")
            line = board.wait_for_line("TLS: it needs 28002 bytes of heap, and 20000 are free.")
            assert "max_fragment_length" in line
            assert board.heard("Broker: connected") == 0
            (board.folder / "heap").write_text("30000")
            board.wait_for_line("Broker: connected. Free heap: 30000 bytes")
            # When the connection is lost, it is asked anew, and has learnt that.
            broker.plain.restart()
            board.wait_for_line("TLS: the server agrees to records of 512 bytes.")
            board.wait_for_line("Broker: connected", 2)
