"""One function per primitive, on pyca/cryptography."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

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


def hkdf(salt: bytes, ikm: bytes, info: bytes, size: int) -> bytes:
    """Return HKDF-SHA256 (RFC 5869): extract and expand."""
    return HKDF(hashes.SHA256(), size, salt, info).derive(ikm)


def hkdf_expand(prk: bytes, info: bytes, size: int) -> bytes:
    """Return HKDF-Expand with SHA-256 (RFC 5869, section 2.3)."""
    return HKDFExpand(hashes.SHA256(), size, info).derive(prk)


def siv_seal(key: bytes, components: Sequence[bytes], plaintext: bytes) -> bytes:
    """Return V || C of AES-SIV (RFC 5297, section 2.6), computed twice and compared."""
    sealed = AESSIV(key).encrypt(plaintext, list(components))
    assert sealed == siv_by_the_book(key, components, plaintext), "two AES-SIVs disagree"
    return sealed


def siv_open(key: bytes, components: Sequence[bytes], sealed: bytes) -> bytes | None:
    """Return the plaintext of V || C (RFC 5297, section 2.7), or None if it does not verify."""
    try:
        return AESSIV(key).decrypt(sealed, list(components))
    except InvalidTag:
        return None


def siv_by_the_book(key: bytes, components: Sequence[bytes], plaintext: bytes) -> bytes:
    """Return V || C by the steps of RFC 5297 on CMAC and CTR alone."""
    cmac_key, ctr_key = key[: len(key) // 2], key[len(key) // 2 :]
    tag = s2v(cmac_key, (*components, plaintext))
    start = int.from_bytes(tag, "big") & ~(1 << 63) & ~(1 << 31)
    encryptor = Cipher(algorithms.AES(ctr_key), modes.CTR(start.to_bytes(16, "big"))).encryptor()
    return tag + encryptor.update(plaintext) + encryptor.finalize()


def s2v(key: bytes, strings: Sequence[bytes]) -> bytes:
    """Return S2V of at least one string (RFC 5297, section 2.4)."""
    *earlier, last = strings
    state = cmac(key, bytes(16))
    for string in earlier:
        state = exclusive_or(doubled(state), cmac(key, string))
    if len(last) >= BLOCK:
        return cmac(key, last[:-BLOCK] + exclusive_or(last[-BLOCK:], state))
    padded = (last + b"\x80").ljust(BLOCK, b"\0")
    return cmac(key, exclusive_or(doubled(state), padded))


def cmac(key: bytes, message: bytes) -> bytes:
    """Return AES-CMAC (RFC 4493)."""
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


def doubled(block: bytes) -> bytes:
    """Return the block times x in GF(2^128) (RFC 5297, section 2.3)."""
    product = int.from_bytes(block, "big") << 1
    if product >> 128:
        product ^= 1 << 128 | 0x87
    return product.to_bytes(BLOCK, "big")


def exclusive_or(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
