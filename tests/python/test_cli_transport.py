"""What `espseal provision` tells the reference sketch besides: transport, addresses, interval."""

import base64
import json
import ssl
from pathlib import Path
from typing import Any

import pytest

from certificates import Certificates, make
from espseal import Device, KeyringFile
from test_cli import home, run, sentence

__all__ = ["home"]

JSON = ("provision", "kitchen", "--format", "json")
FIXED = (
    *("--ip-address", "192.168.7.20", "--ip-gateway", "192.168.7.1"),
    *("--ip-mask", "255.255.255.0", "--ip-dns", "9.9.9.9"),
)


@pytest.fixture(autouse=True)
def keyring(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fleet with the device kitchen in the default keyring."""
    path = home / "keys.toml"
    monkeypatch.setenv("ESPSEAL_KEYRING", str(path))
    file = KeyringFile.create(path)
    file.add_fleet("home")
    file.add_sealed("kitchen", fleet="home", address="0011223344556677")
    return path


@pytest.fixture
def made(home: Path) -> Certificates:
    return make(home)


def provisioned(*words: str) -> dict[str, Any]:
    """What stands in the file."""
    result = run(*JSON, "--force", *words)
    assert result.exit_code == 0, result.output
    # A computer reads the same file.
    Device.load("kitchen.json", hold=0)
    found: dict[str, Any] = json.loads(Path("kitchen.json").read_text())
    return found


def test_without_options_nothing_is_said() -> None:
    found = provisioned()
    assert not {"transport", "interval", "ntp_server", "ip_address", "tls_ca"} & found.keys()


def test_a_fixed_address_and_an_interval() -> None:
    found = provisioned(*FIXED, "--interval", "86400")
    assert found["ip_address"] == "192.168.7.20"
    assert found["ip_gateway"] == "192.168.7.1"
    assert found["ip_mask"] == "255.255.255.0"
    assert found["ip_dns"] == "9.9.9.9"
    assert found["interval"] == 86400


def test_each_proof_of_the_broker(made: Certificates) -> None:
    given = ":".join(made.fingerprint[at : at + 2] for at in range(0, 40, 2)).upper()
    for text in (made.fingerprint, given, f"SHA1 Fingerprint={given}"):
        found = provisioned("--transport", "fingerprint", "--tls-fingerprint", text)
        assert (found["transport"], found["tls_fingerprint"]) == ("fingerprint", made.fingerprint)
    der = ssl.PEM_cert_to_DER_cert(made.ca.read_text())
    Path("ca.der").write_bytes(der)
    for file in ("ca.pem", "ca.der"):
        found = provisioned("--transport", "ca", "--tls-ca", file, "--ntp-server", "ntp.example")
        assert base64.b64decode(found["tls_ca"]) == der
        assert found["ntp_server"] == "ntp.example"
    pem = made.public_key.read_text()
    der = base64.b64decode("".join(pem.splitlines()[1:-1]))
    Path("public.der").write_bytes(der)
    for file in ("public.pem", "public.der"):
        found = provisioned("--transport", "public_key", "--tls-public-key", file)
        assert base64.b64decode(found["tls_public_key"]) == der
    assert provisioned("--transport", "plain")["transport"] == "plain"


@pytest.mark.parametrize("bits", [2048, 4096])
def test_keys_of_rsa_have_room(home: Path, bits: int) -> None:
    made = make(home, bits)
    found = provisioned("--transport", "ca", "--tls-ca", str(made.ca))
    assert len(found["tls_ca"]) < 2800
    found = provisioned("--transport", "public_key", "--tls-public-key", str(made.public_key))
    assert len(found["tls_public_key"]) < 800


def test_insecure_is_spelled_out_and_warned_of() -> None:
    result = run(*JSON, "--transport", "insecure")
    assert result.exit_code == 0
    assert "talks to whoever answers" in result.stderr
    assert json.loads(Path("kitchen.json").read_text())["transport"] == "insecure"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--transport", "tls"), "--transport"),
        (("--transport", "fingerprint"), "fingerprint needs --tls-fingerprint as well"),
        (("--transport", "public_key"), "public_key needs --tls-public-key as well"),
        (("--transport", "ca"), "ca needs --tls-ca as well"),
        (("--tls-fingerprint", "00" * 20), "goes with --transport fingerprint"),
        (("--tls-public-key", "public.pem"), "goes with --transport public_key"),
        (("--tls-ca", "ca.pem"), "goes with --transport ca"),
        (("--transport", "insecure", "--tls-ca", "ca.pem"), "goes with --transport ca"),
        (("--ntp-server", "x"), "nothing else looks at the time"),
        (("--transport", "fingerprint", "--tls-fingerprint", "00" * 32), "one of SHA-256"),
        (("--transport", "fingerprint", "--tls-fingerprint", "0g" * 20), "40 hex digits"),
        (("--transport", "ca", "--tls-ca", "broker.pem"), "not a CA's certificate"),
        (("--transport", "ca", "--tls-ca", "public.pem"), "public key, and no certificate"),
        (("--transport", "ca", "--tls-ca", "private.pem"), "a private key in it"),
        (("--transport", "ca", "--tls-ca", "both.pem"), "it holds 2 of them"),
        (("--transport", "ca", "--tls-ca", "text.txt"), "this is no certificate"),
        (("--transport", "ca", "--tls-ca", "cut.pem"), "this is no certificate"),
        (("--transport", "ca", "--tls-ca", "broken.pem"), "nothing whole"),
        (("--transport", "ca", "--tls-ca", "signs.pem"), "its base64 is damaged"),
        (("--transport", "ca", "--tls-ca", "hollow.der"), "OpenSSL can read"),
        (("--transport", "public_key", "--tls-public-key", "broker.pem"), "holds certificate"),
        (("--transport", "public_key", "--tls-public-key", "cert.der"), "this is a certificate"),
        (("--transport", "public_key", "--tls-public-key", "text.txt"), "this is no public key"),
        (("--transport", "public_key", "--tls-public-key", "private.pem"), "a private key in it"),
        (FIXED[:2], "--ip-gateway, --ip-mask, --ip-dns as well"),
        ((*FIXED, "--ip-address", "192.168.7.256"), "no address of a machine"),
        ((*FIXED, "--ip-dns", "224.0.0.1"), "no address of a machine"),
        ((*FIXED, "--ip-dns", "127.0.0.1"), "no address of a machine"),
        ((*FIXED, "--ip-mask", "0.0.0.255"), "no mask"),
        ((*FIXED, "--ip-mask", "255.255.0.255"), "no mask"),
        ((*FIXED, "--ip-mask", "255.255.255.254"), "no mask"),
        ((*FIXED, "--ip-address", "192.168.7.255"), "or everybody's in 192.168.7.0/24"),
        ((*FIXED, "--ip-gateway", "192.168.8.1"), "network 192.168.7.0/24"),
        ((*FIXED, "--ip-gateway", "192.168.7.20"), "another machine"),
        (("--interval", "0"), "--interval"),
        (("--interval", "86401"), "--interval"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    words: tuple[str, ...], says: str, made: Certificates, home: Path
) -> None:
    ca = made.ca.read_text()
    der = ssl.PEM_cert_to_DER_cert(ca)
    (home / "both.pem").write_text(ca * 2)
    (home / "text.txt").write_text("hello")
    (home / "cut.pem").write_text(ssl.DER_cert_to_PEM_cert(der[:-20]))
    (home / "broken.pem").write_text(ca[:200])
    (home / "signs.pem").write_text(ca.replace("MII", "M!I"))
    (home / "cert.der").write_bytes(der)
    (home / "hollow.der").write_bytes(bytes.fromhex("300730050203010001"))
    assert says in sentence(run(*JSON, *words), 2)
    assert not Path("kitchen.json").exists()


def test_a_file_that_is_not_there() -> None:
    words = ("--transport", "ca", "--tls-ca", "none.pem")
    assert "none.pem: No such file" in sentence(run(*JSON, *words), 1)


@pytest.mark.parametrize("form", ["nodemcu", "arduino"])
@pytest.mark.parametrize("words", [("--transport", "insecure"), ("--interval", "5"), FIXED])
def test_formats_without_a_place_for_it_say_so(form: str, words: tuple[str, ...]) -> None:
    said = sentence(run("provision", "kitchen", "--format", form, *words), 2)
    assert words[0] in said
    assert "--port" in said
    assert not list(Path().glob("*.lua"))


def test_a_certificate_is_too_long_for_a_picture(home: Path) -> None:
    made = make(home, 4096)
    words = ("--transport", "ca", "--tls-ca", str(made.ca), "--wifi-ssid", "x" * 1900, "--show-key")
    said = sentence(run("provision", "kitchen", "--format", "qr", *words), 1)
    assert "--format json" in said
