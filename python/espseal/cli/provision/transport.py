"""How the reference sketch reaches its broker: in the clear, or over TLS with one proof of it."""

import base64
import binascii
import re
import ssl
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final

import typer

# What the sketch keeps of each, in characters of base64.
_KEY_LONGEST: Final = 800
_CA_LONGEST: Final = 2800
_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_OBJECT_ID: Final = 0x06
_VERSION: Final = 0xA0


class Transport(StrEnum):
    """The choices of the reference sketch."""

    PLAIN = "plain"
    FINGERPRINT = "fingerprint"
    PUBLIC_KEY = "public_key"
    CA = "ca"
    INSECURE = "insecure"


INSECURE: Final = (
    "Warning: with --transport insecure the board talks to whoever answers at the broker's "
    "address. Readings and commands stay sealed; the broker's password and who sends when do not."
)


def fingerprint(text: str) -> str:
    """The SHA-1 of a certificate, as 40 hex digits in lower case.

    Raises:
        BadParameter: it is none.
    """
    digits = re.sub(r"[:\s-]", "", re.sub(r"(?i)^sha1 fingerprint=", "", text.strip())).lower()
    if not re.fullmatch("[0-9a-f]{40}", digits):
        wrong = (
            "It is one of SHA-256, which the ESP8266 does not compare"
            if re.fullmatch("[0-9a-f]{64}", digits)
            else "It must be 40 hex digits, with colons or without"
        )
        raise typer.BadParameter(
            f"{wrong}: openssl x509 -in CERTIFICATE -noout -fingerprint -sha1 prints it.",
            param_hint="'--tls-fingerprint'",
        )
    return digits


def public_key(path: Path) -> str:
    """A public key out of a PEM or DER file, as base64.

    Raises:
        BadParameter: there is none in it.
        OSError: it cannot be read.
    """

    def no_key(why: str) -> typer.BadParameter:
        return typer.BadParameter(
            f"{path}: {why}: openssl x509 -in CERTIFICATE -pubkey -noout takes the broker's out "
            "of its certificate.",
            param_hint="'--tls-public-key'",
        )

    der = _der(path.read_bytes(), "PUBLIC KEY", no_key)
    found = _kind(der)
    if found == "certificate":
        raise no_key("this is a certificate, not a public key")
    if found != "public key":
        raise no_key("this is no public key")
    text = base64.b64encode(der).decode()
    if len(text) > _KEY_LONGEST:
        raise no_key("the board has no room for so long a key")
    return text


def ca(path: Path) -> str:
    """A CA's certificate out of a PEM or DER file, as base64.

    Raises:
        BadParameter: there is none in it.
        OSError: it cannot be read.
    """

    def no_ca(why: str) -> typer.BadParameter:
        return typer.BadParameter(f"{path}: {why}.", param_hint="'--tls-ca'")

    der = _der(path.read_bytes(), "CERTIFICATE", no_ca)
    if _kind(der) != "certificate":
        raise no_ca("this is no certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=der)
    except ssl.SSLError:
        raise no_ca("this is no certificate that OpenSSL can read") from None
    if context.cert_store_stats()["x509_ca"] == 0:
        raise no_ca(
            "this is not a CA's certificate but perhaps the broker's own: give that of the CA "
            "that signed it, or pin the broker's key with --transport public_key"
        )
    text = base64.b64encode(der).decode()
    if len(text) > _CA_LONGEST:
        raise no_ca("the board has no room for so long a certificate; a CA with an EC key is short")
    return text


def _der(content: bytes, label: str, refuse: Callable[[str], typer.BadParameter]) -> bytes:
    """What is in the one PEM block of this label, or the file itself."""
    if b"-----BEGIN " not in content:
        return content
    blocks = re.findall(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", content, re.DOTALL)
    wanted = [body for name, body in blocks if name.decode() == label]
    if any(b"PRIVATE KEY" in name for name, _ in blocks):
        raise refuse("there is a private key in it, which no board should ever see")
    if not wanted:
        names = ", ".join(sorted({name.decode().lower() for name, _ in blocks})) or "nothing whole"
        raise refuse(f"it holds {names}, and no {label.lower()}")
    if len(wanted) > 1:
        raise refuse(f"it holds {len(wanted)} of them; the board keeps one: give that one alone")
    try:
        return base64.b64decode(b"".join(wanted[0].split()), validate=True)
    except binascii.Error:
        raise refuse("its base64 is damaged") from None


def _kind(der: bytes) -> str | None:
    """What the two outer SEQUENCEs of DER begin with tells which of the two it is."""
    inner = _inside(der)
    if inner is None or _length(der) != len(der):
        return None
    first = _inside(inner, whole=False)
    if not first:
        return None
    return {_VERSION: "certificate", _INTEGER: "certificate", _OBJECT_ID: "public key"}.get(
        first[0]
    )


def _inside(der: bytes, *, whole: bool = True) -> bytes | None:
    """What a SEQUENCE holds (X.690, 8.1); None if it is none."""
    length = _length(der)
    if length is None or (whole and length > len(der)):
        return None
    return der[2 + (der[1] & 0x7F if der[1] & 0x80 else 0) : length]


def _length(der: bytes) -> int | None:
    """Of the SEQUENCE with its head."""
    if len(der) < 4 or der[0] != _SEQUENCE:
        return None
    if not der[1] & 0x80:
        return 2 + der[1]
    count = der[1] & 0x7F
    return 2 + count + int.from_bytes(der[2 : 2 + count])
