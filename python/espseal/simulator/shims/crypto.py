"""``crypto``: AES-128 in CBC and ECB, HMAC, hash and mask, as `app/modules/crypto.c` has them.

What goes in is zero-padded to whole blocks, for decryption too; what comes out is never
stripped. An IV shorter than a block is extended with zeros, a longer one is cut, ECB ignores it.
A key that is not 16 bytes long raises "crypto op failed". There is no ``toHex`` (since 2020-11).
"""

import hashlib
import hmac
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB

from espseal.simulator.lua import Arguments, LuaError, Value

if TYPE_CHECKING:
    from espseal.simulator.machine import Machine

_BLOCK = 16
_HASHES = ("md5", "sha1", "sha256", "sha384", "sha512")


def define(machine: "Machine") -> None:
    """Defines ``crypto``."""
    machine.lua.define(
        "crypto",
        {"encrypt": _encrypt, "decrypt": _decrypt, "hmac": _hmac, "hash": _hash, "mask": _mask},
    )


def _encrypt(*values: Value) -> bytes:
    cipher, text = _cipher(Arguments("encrypt", values))
    encryptor = cipher.encryptor()
    return encryptor.update(text) + encryptor.finalize()


def _decrypt(*values: Value) -> bytes:
    cipher, text = _cipher(Arguments("decrypt", values))
    decryptor = cipher.decryptor()
    return decryptor.update(text) + decryptor.finalize()


def _cipher(arguments: Arguments) -> tuple[Cipher[CBC | ECB], bytes]:
    name, key, text = arguments.string(1).upper(), arguments.string(2), arguments.string(3)
    iv = arguments.string(4, b"")[:_BLOCK].ljust(_BLOCK, b"\0")
    if name not in (b"AES-CBC", b"AES-ECB"):
        raise LuaError(f"unknown cipher: {name.decode('latin-1')}")
    if len(key) != _BLOCK:
        raise LuaError("crypto op failed")
    padded = text + bytes(-len(text) % _BLOCK)
    mode = CBC(iv) if name == b"AES-CBC" else ECB()  # noqa: S305 - as the chip has it
    return Cipher(AES(key), mode), padded


def _hmac(*values: Value) -> bytes:
    arguments = Arguments("hmac", values)
    return hmac.digest(arguments.string(3), arguments.string(2), _algorithm(arguments))


def _hash(*values: Value) -> bytes:
    arguments = Arguments("hash", values)
    return hashlib.new(_algorithm(arguments), arguments.string(2)).digest()


def _algorithm(arguments: Arguments) -> str:
    name = arguments.string(1).decode("latin-1").lower()
    if name not in _HASHES:
        raise LuaError("unknown hash mech")
    return name


def _mask(*values: Value) -> bytes:
    arguments = Arguments("mask", values)
    text, mask = arguments.string(1), arguments.string(2)
    if not mask:
        raise arguments.bad(2, "empty mask")
    return bytes(byte ^ mask[i % len(mask)] for i, byte in enumerate(text))
