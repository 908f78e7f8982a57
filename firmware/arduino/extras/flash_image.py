#!/usr/bin/env python3
"""Makes what a board's two sectors of flash hold when it is new: its identity, and no counter used.

    espseal provision lamp --format json
    python flash_image.py lamp.json lamp.bin
    esptool --port /dev/ttyUSB0 write_flash 0x3fa000 lamp.bin

The key is then in flash alone, not in the sketch, and a ratchet really ends it. Delete both files.
Python's standard library is all it needs.
"""

import argparse
import hashlib
import hmac
import json
import os
import struct
import sys
import zlib
from pathlib import Path

SECTOR = 4096
# As in src/espseal/store.h: magic 0x5e41, version 1, the length of a record.
FORM = 0x5E41 | 1 << 16 | 72 << 24


def record(address: bytes, key: bytes, epoch: int) -> bytes:
    """The record of a device that has sealed nothing yet."""
    # HKDF-Expand of one block (RFC 5869): tells a key that a later sketch brings.
    derived = hmac.new(key, b"origin\x01", hashlib.sha256).digest()
    origin = bytes(a ^ b for a, b in zip(derived, address, strict=False))
    packed = struct.pack("<IBB8s32sHQ8sI", FORM, 0, 0, address, key, epoch, 0, origin, 1)
    # The CRC-32 of the chip leaves out the last inversion, and is never 0.
    checksum = zlib.crc32(packed) ^ 0xFFFFFFFF or 1
    return packed + struct.pack("<I", checksum)


def image(provisioned: dict[str, object]) -> bytes:
    """Both sectors, all of them, so that nothing that was there counts."""
    address = bytes.fromhex(str(provisioned["address"]))
    key = bytes.fromhex(str(provisioned["device_key"]))
    epoch = int(str(provisioned["epoch"]))
    if len(address) != 8 or len(key) != 32:
        raise ValueError("the address has 8 bytes, the key 32")
    return record(address, key, epoch).ljust(2 * SECTOR, b"\xff")


def main() -> None:
    """Reads the one file and writes the other, which only its owner can read."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "provisioned", type=Path, help="what `espseal provision --format json` wrote"
    )
    parser.add_argument("image", type=Path, help="what to write to the flash")
    given = parser.parse_args()
    try:
        content = image(json.loads(given.provisioned.read_text(encoding="utf-8")))
        handle = os.open(given.image, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except (OSError, KeyError, ValueError) as problem:
        sys.exit(f"{given.provisioned}: {problem!r}")
    with os.fdopen(handle, "wb") as file:
        file.write(content)


if __name__ == "__main__":
    main()
