"""Certificates for a test: an authority, and servers that it vouches for."""

import base64
import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


def new_key(kind: str = "ec") -> Key:
    """A key on P-256, or of RSA."""
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Certificate:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    def write(self, folder: Path) -> None:
        """As a broker reads them: server.crt, server.key."""
        pem = serialization.Encoding.PEM
        (folder / "server.crt").write_bytes(self.certificate.public_bytes(pem))
        (folder / "server.key").write_bytes(
            self.key.private_bytes(
                pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    @property
    def fingerprint(self) -> str:
        """The SHA-1 of the certificate, in hex."""
        return self.certificate.fingerprint(hashes.SHA1()).hex()

    @property
    def public_key(self) -> str:
        """SubjectPublicKeyInfo in base64."""
        return base64.b64encode(
            self.key.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        ).decode()

    @property
    def text(self) -> str:
        """The certificate in base64."""
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        return base64.b64encode(der).decode()


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority(Certificate):
    """A CA of that name."""

    def __init__(self, name: str = "the house's own CA") -> None:
        key = new_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 400 * DAY)
            .not_valid_after(NOW + 3650 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        )
        super().__init__(builder.sign(key, hashes.SHA256()), key)

    def issue(
        self,
        host: str = "localhost",
        *,
        key: Key | None = None,
        begins: datetime.timedelta = -DAY,
        ends: datetime.timedelta = 90 * DAY,
    ) -> Certificate:
        """A server's certificate, for this name, valid from and to so long from now."""
        key = key or new_key()
        issuer = self.certificate.subject
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(host))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + begins)
            .not_valid_after(NOW + ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        )
        return Certificate(builder.sign(self.key, hashes.SHA256()), key)
