"""One function per primitive, on pyca/cryptography."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives import hashes, hmac, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK: Final = 16


def cbc_encrypt(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(plaintext) + encryptor.finalize()


def zero_padded(plaintext: bytes) -> bytes:
    return plaintext + bytes(-len(plaintext) % BLOCK)


def pkcs7_padded(plaintext: bytes) -> bytes:
    padder = padding.PKCS7(128).padder()
    return padder.update(plaintext) + padder.finalize()


def hmac_sha1(key: bytes, *parts: bytes) -> bytes:
    mac = hmac.HMAC(key, hashes.SHA1())
    for part in parts:
        mac.update(part)
    return mac.finalize()


def cbc_decrypt(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    return decryptor.update(ciphertext) + decryptor.finalize()


def hmac_sha256(key: bytes, *parts: bytes) -> bytes:
    mac = hmac.HMAC(key, hashes.SHA256())
    for part in parts:
        mac.update(part)
    return mac.finalize()
