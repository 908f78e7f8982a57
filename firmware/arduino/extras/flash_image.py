#!/usr/bin/env python3
"""Makes what a board's sectors of flash hold when it is new: its identity, and no counter used.

    espseal provision lamp --format json
    python flash_image.py lamp.json lamp.bin
    esptool --port /dev/ttyUSB0 write_flash 0x3fa000 lamp.bin

For the sketch `Reference` its settings as well, in the two sectors before:

    espseal provision lamp --format json --wifi-ssid cottage --mqtt-host broker.example
    python flash_image.py --reference lamp.json lamp.bin
    esptool --port /dev/ttyUSB0 write_flash 0x3f8000 lamp.bin

The key is then in flash alone, not in the sketch, and a ratchet really ends it. Delete both files.
Python's standard library is all it needs.
"""

import argparse
import hashlib
import hmac
import json
import os
import re
import struct
import sys
import zlib
from pathlib import Path

SECTOR = 4096
# Of a board with so many MB: where its identity lies, in a layout with a file system.
IDENTITY_AT = {size: size * 0x100000 - 6 * SECTOR for size in (2, 4, 8, 16)}

# As in src/espseal/store.h: magic 0x5e41, version 1, the length of a record.
FORM = 0x5E41 | 1 << 16 | 72 << 24

# As in examples/Reference/slots.h: magic, version; then length, sequence and checksum.
SLOT = struct.Struct("<IHHI")
MAGIC, VERSION = 0x45535246, 1

TOPIC = r"(?:[^+#{}]|\{mac\}|\{address\})+"
HOST = r"[A-Za-z0-9._-]{1,128}"
IP = r"(?:\d{1,3}\.){3}\d{1,3}"
# The settings of examples/Reference, in the order in which they are stored: what each looks like,
# and what holds if it is not given. The board checks them once more, and more closely.
SETTINGS = {
    "name": (r".{1,64}", ""),
    "address": (r"[0-9a-f]{16}", ""),
    "up_topic": (TOPIC, "espseal/{address}/up"),
    "hello_topic": (TOPIC, "espseal/{address}/hello"),
    "down_topic": (TOPIC, "espseal/{address}/down"),
    "beacon_topic": (TOPIC, ""),
    "wifi_ssid": (r".{1,32}", ""),
    "wifi_password": (r".{8,63}|[0-9a-fA-F]{64}", ""),
    "ip_address": (IP, ""),
    "ip_gateway": (IP, ""),
    "ip_mask": (IP, ""),
    "ip_dns": (IP, ""),
    "mqtt_host": (HOST, ""),
    "mqtt_port": (r"[1-9]\d{0,4}", "1883"),
    "mqtt_user": (r".{1,128}", ""),
    "mqtt_password": (r".{1,256}", ""),
    "transport": (r"plain|fingerprint|public_key|ca|insecure", "plain"),
    "tls_fingerprint": (r"[0-9a-f]{40}", ""),
    "tls_public_key": (r"(?=.{1,800}$)[A-Za-z0-9+/]+={0,2}", ""),
    "tls_ca": (r"(?=.{1,2800}$)[A-Za-z0-9+/]+={0,2}", ""),
    "ntp_server": (HOST, "pool.ntp.org"),
    "interval": (r"[1-9]\d{0,4}", "60"),
}
ALSO = {"version", "device_key", "epoch", "allow_wide_permissions"}
NEEDED = ("address", "beacon_topic", "wifi_ssid", "mqtt_host")
PROOFS = {"fingerprint": "tls_fingerprint", "public_key": "tls_public_key", "ca": "tls_ca"}


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
    # The board itself writes a new identity into the second one.
    return b"\xff" * SECTOR + record(address, key, epoch).ljust(SECTOR, b"\xff")


def stored(provisioned: dict[str, object]) -> bytes:
    """The settings as the sketch keeps them: a line for each that says something."""
    unknown = provisioned.keys() - SETTINGS.keys() - ALSO
    if unknown:
        raise ValueError(f"the sketch does not know {', '.join(sorted(unknown))}")
    values = {name: str(provisioned[name]) for name in SETTINGS if name in provisioned}
    for name in NEEDED:
        if not values.get(name):
            raise ValueError(f"the sketch needs {name}: espseal provision has an option for it")
    transport = values.get("transport") or "plain"
    if PROOFS.get(transport) and not values.get(PROOFS[transport]):
        raise ValueError(f"transport {transport} needs {PROOFS[transport]}")
    lines = []
    for name, (form, initial) in SETTINGS.items():
        value = values.get(name, "")
        if name == "mqtt_port" and transport != "plain":
            initial = "8883"
        if value in ("", initial):
            continue
        # Of a secret, too, only its name is said.
        if not re.fullmatch(form, value) or any(not c.isprintable() and c != " " for c in value):
            raise ValueError(f"{name} is not as the sketch wants it")
        lines.append(f"{name}={value}\n")
    return "".join(lines).encode()


def slot(text: bytes) -> bytes:
    """The sector of the settings, and the other one, which is empty."""
    sequence = 1
    while True:
        head = SLOT.pack(MAGIC, VERSION, len(text), sequence)
        checksum = zlib.crc32(head + text)
        # Neither what is there before a checksum is written nor what revokes one.
        if checksum not in (0, 0xFFFFFFFF):
            break
        sequence += 1
    content = head + struct.pack("<I", checksum) + text
    if len(content) > SECTOR:
        raise ValueError("the settings are longer than a sector: a smaller certificate would do")
    return content.ljust(2 * SECTOR, b"\xff")


def main() -> None:
    """Reads the one file and writes the other, which only its owner can read."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--reference", action="store_true", help="with the settings of examples/Reference"
    )
    parser.add_argument(
        "--flash-size",
        type=int,
        choices=sorted(IDENTITY_AT),
        default=4,
        metavar="MB",
        help="of the board, for the address that is printed: 2, 4 (usual), 8 or 16",
    )
    parser.add_argument(
        "provisioned", type=Path, help="what `espseal provision --format json` wrote"
    )
    parser.add_argument("image", type=Path, help="what to write to the flash")
    given = parser.parse_args()
    try:
        provisioned = json.loads(given.provisioned.read_text(encoding="utf-8"))
        content = image(provisioned)
        if given.reference:
            content = slot(stored(provisioned)) + content
        handle = os.open(given.image, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        sys.exit(f"{given.image} is there already: delete it, or give another name")
    except KeyError as problem:
        sys.exit(f"{given.provisioned}: {problem.args[0]} is missing")
    except (OSError, ValueError) as problem:
        sys.exit(f"{given.provisioned}: {problem}")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    address = IDENTITY_AT[given.flash_size] - (2 * SECTOR if given.reference else 0)
    print(f"esptool --port /dev/ttyUSB0 write_flash {address:#x} {given.image}")


if __name__ == "__main__":
    main()
