"""The sealed frame without state: key, session, counter and frame are arguments (`src/SEALED.md`).

For tests and tools. A `Receiver`, a `Sender` and a `Device` add the keyring and what has to be
remembered: a counter must never be used twice.
"""

from espseal._native import DeviceKey, SealedOpened
from espseal._native import sealed_armor as armor
from espseal._native import sealed_device_session as device_session
from espseal._native import sealed_disarm as disarm
from espseal._native import sealed_open as open
from espseal._native import sealed_seal as seal

__all__ = [
    "DeviceKey",
    "SealedOpened",
    "armor",
    "device_session",
    "disarm",
    "open",
    "seal",
]
