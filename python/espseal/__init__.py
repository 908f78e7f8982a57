"""End-to-end protection of MQTT payloads for devices that are too small for TLS.

Open frames with a `Receiver`; `espseal.paho.attach` does it in a Paho callback.
"""

from espseal._errors import (
    DataError,
    Error,
    KeyringError,
    Rejected,
    SessionError,
    StateError,
    StoreError,
)
from espseal._native import (
    ClassicKeys,
    Device,
    DeviceEntry,
    Field,
    Finding,
    Fit,
    FleetEntry,
    GroupEntry,
    Inspection,
    Keyring,
    KeyringFile,
    Message,
    Provision,
    Publication,
    Receiver,
    Sender,
    Store,
    StoredDevice,
    __version__,
    inspect,
)
from espseal._verdict import Verdict

__all__ = [
    "ClassicKeys",
    "DataError",
    "Device",
    "DeviceEntry",
    "Error",
    "Field",
    "Finding",
    "Fit",
    "FleetEntry",
    "GroupEntry",
    "Inspection",
    "Keyring",
    "KeyringError",
    "KeyringFile",
    "Message",
    "Provision",
    "Publication",
    "Receiver",
    "Rejected",
    "Sender",
    "SessionError",
    "StateError",
    "Store",
    "StoreError",
    "StoredDevice",
    "Verdict",
    "__version__",
    "inspect",
]
