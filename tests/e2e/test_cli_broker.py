"""What can happen between the commands and a broker: one sentence, and a code that says so."""

import contextlib
import datetime
import ipaddress
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from broker import Mosquitto
from support import Probe, wait_for
from test_cli_support import Command, Node, Talker, at, new_home

VERSIONS = ["3.1.1", "5"]
# Commands that end by themselves.
ENDING = [("listen", "--timeout", "60"), ("send", "kitchen", "on", "--timeout", "60")]
SECRET = "a password of tests"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return new_home(tmp_path)


@pytest.fixture
def keyring(home: Path) -> Path:
    return home / "keyring.toml"


def assert_connects(command: Command, broker: Mosquitto) -> None:
    """A command that runs until it is ended gets as far as its subscriptions."""
    before = broker.log.count("Sending SUBACK")
    with command:
        wait_for(lambda: broker.log.count("Sending SUBACK") > before, "the subscription")
        assert command.signal() == 130


# Down.


@pytest.mark.parametrize("words", ENDING, ids=lambda words: words[0])
def test_a_broker_that_is_down_ends_what_ends_by_itself(words: tuple[str, ...], home: Path) -> None:
    with socket.socket() as taken:
        # Bound and not listening: nobody else can take the port meanwhile.
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        with Command(home, *words, "--host", "127.0.0.1", "--port", port) as command:
            said = command.sentence(3)
    assert (
        said == f"espseal: No broker listens at 127.0.0.1:{port}; is it running, and --port right?"
    )


@pytest.mark.parametrize("words", [("listen",), *ENDING], ids=" ".join)
def test_a_host_that_is_none(words: tuple[str, ...], home: Path) -> None:
    with Command(home, *words, "--host", "nowhere.invalid") as command:
        assert "host name nowhere.invalid is not known" in command.sentence(3)


def test_a_broker_that_is_down_is_waited_for(tmp_path: Path, home: Path, keyring: Path) -> None:
    folder = tmp_path / "broker"
    folder.mkdir()
    broker = Mosquitto(folder)
    with Command(home, "listen", *at(broker), "--json") as command:
        command.wait_for("No broker listens")
        with broker, Talker(broker, keyring):
            wait_for(lambda: len(command.readings()) > 2, "readings")
            command.wait_for("Connected again.")
            assert command.signal() == 130
    assert sum("No broker listens" in line for line in command.err) == 1


def test_ctrl_c_while_it_waits(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        with Command(home, "listen", "--host", "127.0.0.1", "--port", port) as command:
            command.wait_for("Trying again")
            assert command.signal() == 130


@pytest.mark.parametrize("version", VERSIONS)
def test_a_drop_in_the_middle(broker: Mosquitto, home: Path, keyring: Path, version: str) -> None:
    options = ("--json", "--mqtt-version", version, "--count", "40")
    with Command(home, "listen", *at(broker), *options) as command, Talker(broker, keyring):
        wait_for(lambda: len(command.readings()) > 3, "readings")
        broker.stop()
        command.wait_for("is lost")
        broker.start()
        assert command.end() == 0
    readings = [int(each) for each in command.readings()]
    assert len(readings) == 40
    assert readings == sorted(set(readings))
    assert sum("is lost" in line for line in command.err) == 1
    assert sum("Connected again." in line for line in command.err) == 1


def test_someone_who_is_no_broker(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        command = Command(home, "listen", "--host", "127.0.0.1", "--port", port, "--timeout", "60")
        with command:
            server.accept()[0].close()
            assert "hangs up without an answer; it may want TLS" in command.sentence(3)


# Passwords.


@contextlib.contextmanager
def locked_broker(folder: Path) -> Iterator[Mosquitto]:
    """A broker that wants a password."""
    folder.mkdir()
    with Mosquitto(folder, allow_anonymous=False, passwords={"host": SECRET}) as broker:
        yield broker


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("words", [("listen",), *ENDING], ids=" ".join)
def test_a_wrong_password(tmp_path: Path, home: Path, words: tuple[str, ...], version: str) -> None:
    with locked_broker(tmp_path / "locked") as broker:
        options = (*at(broker), "--mqtt-version", version)
        with Command(home, *words, *options) as command:
            said = command.sentence(3)
        assert "refuses the connection: not authorized; it wants --username" in said
        named = (*options, "--username", "host")
        with Command(home, *words, *named, ESPSEAL_MQTT_PASSWORD="wrong one") as command:
            said = command.sentence(3)
        assert "not authorized; are user name and password right?" in said
        assert "wrong one" not in said


@pytest.mark.parametrize("version", VERSIONS)
def test_a_password_out_of_the_environment_or_a_file(
    tmp_path: Path, home: Path, version: str
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n")
    with locked_broker(tmp_path / "locked") as broker:
        words = ("listen", "--mqtt-version", version, *at(broker))
        user = ("--username", "host")
        # The file was named, so it is the one that counts.
        from_file = (*words, *user, "--password-file", str(file))
        variables = {
            "ESPSEAL_MQTT_HOST": broker.host,
            "ESPSEAL_MQTT_PORT": str(broker.port),
            "ESPSEAL_MQTT_USERNAME": "host",
            "ESPSEAL_MQTT_PASSWORD_FILE": str(file),
            "ESPSEAL_MQTT_VERSION": version,
            "ESPSEAL_MQTT_CLIENT_ID": "from the environment",
        }
        runs: list[tuple[tuple[str, ...], dict[str, str]]] = [
            ((*words, *user), {"ESPSEAL_MQTT_PASSWORD": SECRET}),
            (from_file, {"ESPSEAL_MQTT_PASSWORD": "wrong one"}),
            (("listen",), variables),
        ]
        for line, env in runs:
            command = Command(home, *line, typed=b"", **env)
            assert_connects(command, broker)
            assert SECRET not in "\n".join([*command.out, *command.err])
        assert "from the environment" in broker.log


def test_options_that_do_not_go_together(home: Path) -> None:
    for options, says in (
        (("--password-file", "x"), "--username"),
        (("--key", "x"), "--cert"),
        (("--port", "0"), "--port"),
        (("--port", "70000"), "--port"),
        (("--mqtt-version", "4"), "--mqtt-version"),
        (("--host", ""), "no host name"),
        (("--host", "a..b"), "no host name"),
        (("--password", "x"), "--password"),
    ):
        with Command(home, "listen", *options) as command:
            assert says in command.sentence(2)


def test_files_that_are_not_there(home: Path) -> None:
    for options in (
        ("--username", "host", "--password-file", "/nowhere/file"),
        ("--ca", "/nowhere/file"),
        ("--cert", "/nowhere/file"),
        ("--cert", str(home / "keyring.toml"), "--key", "/nowhere/file"),
    ):
        with Command(home, "listen", *options) as command:
            assert "/nowhere/file" in command.sentence(1)


# TLS.


class Files(NamedTuple):
    """A certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """A CA of a test's own.

    Arguments:
        folder: where the files go.
        name: of the CA.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.files = self._write(name, self._name, self._key, None)

    def issue(self, name: str, address: str | None = None) -> Files:
        """Issues a certificate, of a server if it has an address."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return self._write(name, subject, key, address or "")

    def _write(
        self, name: str, subject: x509.Name, key: ec.EllipticCurvePrivateKey, address: str | None
    ) -> Files:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=address is None, path_length=None), True)
        )
        if address:
            names = [x509.IPAddress(ipaddress.ip_address(address))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        signed = builder.sign(self._key, hashes.SHA256())
        files = Files(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        files.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        files.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return files


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ours")


@contextlib.contextmanager
def tls_broker(
    folder: Path, authority: Authority, address: str = "127.0.0.1", more: str = ""
) -> Iterator[Mosquitto]:
    """A broker that speaks TLS."""
    server = authority.issue("server", address)
    folder.mkdir()
    settings = f"certfile {server.certificate}\nkeyfile {server.key}\n{more}"
    with Mosquitto(folder, settings=settings) as broker:
        yield broker


@pytest.mark.parametrize("version", VERSIONS)
def test_tls(tmp_path: Path, home: Path, authority: Authority, version: str) -> None:
    options = ("--timeout", "60", "--mqtt-version", version)
    other = Authority(tmp_path, "another")
    with tls_broker(tmp_path / "tls", authority) as broker:
        words = ("listen", *at(broker))
        trusting = ("--ca", str(authority.files.certificate))
        assert_connects(Command(home, *words, *trusting), broker)
        for options_of_tls in (("--tls",), ("--ca", str(other.files.certificate))):
            with Command(home, *words, *options, *options_of_tls) as command:
                said = command.sentence(3)
            assert "is not trusted" in said
            assert "--ca names the CA to trust" in said
        with Command(home, *words, *options) as command:
            assert "hangs up without an answer; it may want TLS (--tls)" in command.sentence(3)


def test_a_certificate_of_another_host(tmp_path: Path, home: Path, authority: Authority) -> None:
    with tls_broker(tmp_path / "tls", authority, "127.0.0.9") as broker:
        ca = ("--ca", str(authority.files.certificate))
        with Command(home, "listen", *at(broker), *ca) as command:
            said = command.sentence(3)
    assert "is not trusted: IP address mismatch" in said


def test_tls_with_a_broker_that_has_none(
    broker: Mosquitto, home: Path, authority: Authority
) -> None:
    ca = ("--ca", str(authority.files.certificate))
    with Command(home, "listen", *at(broker), *ca, "--timeout", "60") as command:
        assert "TLS" in command.sentence(3)


def test_a_client_certificate(tmp_path: Path, home: Path, authority: Authority) -> None:
    ours = authority.issue("host")
    more = f"cafile {authority.files.certificate}\nrequire_certificate true"
    with tls_broker(tmp_path / "tls", authority, more=more) as broker:
        words = ("listen", *at(broker), "--ca", str(authority.files.certificate))
        mine = ("--cert", str(ours.certificate), "--key", str(ours.key))
        assert_connects(Command(home, *words, *mine), broker)
        with Command(home, *words, "--timeout", "60") as command:
            said = command.sentence(3)
        assert "certificate" in said


def test_files_that_are_no_certificates(home: Path, keyring: Path, authority: Authority) -> None:
    ours, other = authority.issue("host"), authority.issue("other")
    for options, says in (
        (("--ca", str(keyring)), "is no CA certificate"),
        (("--cert", str(keyring)), "PEM form"),
        (("--cert", str(ours.certificate)), "PEM form"),
        (("--cert", str(ours.certificate), "--key", str(other.key)), "does not belong"),
    ):
        with Command(home, "listen", *options) as command:
            assert says in command.sentence(1)


# What the broker does not allow.


@contextlib.contextmanager
def strict_broker(folder: Path, *topics: str) -> Iterator[Mosquitto]:
    """A broker that grants only some topics. An ACL file cannot refuse to subscribe."""
    allowed = [
        {"acltype": kind, "topic": topic, "allow": True}
        for kind in ("subscribePattern", "publishClientSend")
        for topic in topics
    ]
    rules = {
        "defaultACLAccess": {
            "publishClientSend": False,
            "publishClientReceive": True,
            "subscribe": False,
            "unsubscribe": True,
        },
        "roles": [{"rolename": "all", "acls": allowed}],
        "groups": [{"groupname": "all", "roles": [{"rolename": "all"}]}],
        "anonymousGroup": "all",
    }
    folder.mkdir()
    (folder / "rules.json").write_text(json.dumps(rules))
    plugin = next(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"))
    settings = f"plugin {plugin}\nplugin_opt_config_file {folder / 'rules.json'}"
    with Mosquitto(folder, settings=settings) as broker:
        yield broker


@pytest.mark.parametrize("version", VERSIONS)
def test_a_denied_subscription(tmp_path: Path, home: Path, version: str) -> None:
    with strict_broker(tmp_path / "strict", "nothing") as broker:
        options = (*at(broker), "--mqtt-version", version)
        with Command(home, "listen", *options, "--timeout", "60") as command:
            said = command.sentence(3)
        assert "does not let this client use sensors/+" in said
        assert "ACL" in said
        with Command(home, "send", "kitchen", "on", *options, "--timeout", "60") as command:
            said = command.sentence(3)
        assert "does not let this client read commands/" in said
        # What runs for long says it once, and stays.
        with Command(home, "listen", *options) as command:
            command.wait_for("does not let this client read sensors/+")
            assert command.signal() == 130


def test_a_denied_command(tmp_path: Path, home: Path, keyring: Path) -> None:
    with strict_broker(tmp_path / "strict", "commands/+/session") as broker, Node(broker, keyring):
        options = (*at(broker), "--mqtt-version", "5", "--timeout", "60")
        with Command(home, "send", "kitchen", "on", *options) as command:
            said = command.sentence(3)
    assert "does not let this client write commands/11242238" in said


def test_a_denied_session_topic(tmp_path: Path, home: Path, version: str = "5") -> None:
    acl = "topic read #\ntopic readwrite sensors/kitchen\n"
    folder = tmp_path / "acl"
    folder.mkdir()
    with Mosquitto(folder, acl=acl) as broker, Probe(broker):
        options = (*at(broker), "--mqtt-version", version, "--timeout", "60")
        with Command(home, "listen", *options) as command:
            said = command.sentence(3)
    assert "does not let this client use sensors/session" in said


def test_a_fixed_client_id_keeps_what_came_meanwhile(
    broker: Mosquitto, probe: Probe, home: Path
) -> None:
    for version in VERSIONS:
        words = ("listen", *at(broker), "--json", "--client-id", f"id {version}")
        words += ("--mqtt-version", version, "--memory")
        with Command(home, *words) as command:
            wait_for(lambda: _answered(probe, command), "the subscription")
            assert command.signal() == 130
        probe.send("sensors/kitchen", b"while it was away")
        with Command(home, *words) as command:
            command.wait_for("malformed")
            assert command.signal() == 130


def _answered(probe: Probe, command: Command) -> bool:
    probe.send("sensors/kitchen", b"no frame")
    return bool(command.out)
