"""Certificates, made for a test: a CA, and a broker's that it signed."""

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM
_NOW = datetime.datetime.now(datetime.UTC)


@dataclass(frozen=True)
class Certificates:
    """Files in a folder."""

    ca: Path
    broker: Path
    public_key: Path
    private_key: Path
    fingerprint: str


def make(folder: Path, bits: int | None = None) -> Certificates:
    """A CA and a broker; with keys on P-256, or RSA of so many bits."""

    def new_key() -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
        if bits is None:
            return ec.generate_private_key(ec.SECP256R1())
        return rsa.generate_private_key(65537, bits)

    ca_key, key = new_key(), new_key()
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a CA of a test")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker.example")])

    def signed(subject: x509.Name, public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> bytes:
        is_ca = subject == ca_name
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(ca_name)
        builder = builder.public_key(public).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(_NOW - datetime.timedelta(days=1))
        builder = builder.not_valid_after(_NOW + datetime.timedelta(days=30))
        constraints = x509.BasicConstraints(ca=is_ca, path_length=None)
        builder = builder.add_extension(constraints, critical=True)
        return builder.sign(ca_key, hashes.SHA256()).public_bytes(_PEM)

    certificate = signed(name, key.public_key())
    made = Certificates(
        ca=folder / "ca.pem",
        broker=folder / "broker.pem",
        public_key=folder / "public.pem",
        private_key=folder / "private.pem",
        fingerprint=x509.load_pem_x509_certificate(certificate).fingerprint(hashes.SHA1()).hex(),
    )
    made.ca.write_bytes(signed(ca_name, ca_key.public_key()))
    made.broker.write_bytes(certificate)
    made.public_key.write_bytes(
        key.public_key().public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    made.private_key.write_bytes(
        key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made
