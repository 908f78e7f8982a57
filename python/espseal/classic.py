"""The classic frame without state: keys, session and frame are arguments (`src/CLASSIC.md`).

For tests and tools. A `Receiver` adds the keyring, the sessions and the memory of what came.
"""

from espseal._native import ClassicKeys, ClassicOpened, session_id_is_valid
from espseal._native import classic_open as open
from espseal._native import classic_seal as seal
from espseal._native import danger_classic_seal_with_iv as danger_seal_with_iv

__all__ = [
    "ClassicKeys",
    "ClassicOpened",
    "danger_seal_with_iv",
    "open",
    "seal",
    "session_id_is_valid",
]
