"""What the store knows of devices, as far as there is one."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from espseal import DeviceEntry, Store, StoredDevice
from espseal.cli.state import default_path


@dataclass(frozen=True)
class Known:
    """A device, and what is known of it; ``stored`` is None if nothing is."""

    device: DeviceEntry
    stored: StoredDevice | None

    @property
    def epoch(self) -> int | None:
        """The epoch that the device has reached; of one that was never heard the first."""
        first = self.device.minimum_epoch
        reached = None if self.stored is None else self.stored.epoch
        return first if first is None or reached is None else max(first, reached)

    @property
    def head(self) -> str:
        """The highest counter accepted."""
        head = None if self.stored is None else self.stored.head
        return "" if head is None else str(head)

    @property
    def last_seen(self) -> str:
        """When its last fresh frame came, in this computer's time."""
        seen = None if self.stored is None else self.stored.last_seen
        if seen is None:
            return ""
        return f"{datetime.datetime.fromtimestamp(seen).astimezone():%Y-%m-%d %H:%M:%S}"

    @property
    def frames(self) -> str:
        """How many frames got each verdict, the most frequent first."""
        counts = sorted(self._counts().items(), key=lambda each: -each[1])
        return ", ".join(f"{count} {verdict}" for verdict, count in counts)

    def fields(self) -> dict[str, Any]:
        """The same for programs."""
        if self.device.fleet is None:
            return {}
        return {
            "epoch": self.epoch,
            "head": None if self.stored is None else self.stored.head,
            "last_seen": None if self.stored is None else self.stored.last_seen,
            "frames": self._counts(),
        }

    def _counts(self) -> dict[str, int]:
        counts = {} if self.stored is None else self.stored.counts
        return {str(verdict): count for verdict, count in counts.items() if count}


def look_up(devices: Sequence[DeviceEntry], state: Path | None) -> list[Known]:
    """What the store knows of each.

    Arguments:
        devices: of the keyring.
        state: the store's file; None for the default one. One that is not there knows nothing.

    Raises:
        StoreError: the file cannot be used.
    """
    path = state if state is not None else default_path()
    addresses = [device.address for device in devices if device.address is not None]
    stored: dict[str, StoredDevice | None] = {}
    # To look at what is known is no reason to make a store.
    if addresses and path.exists():
        stored = dict(zip(addresses, Store.sqlite(path).devices(addresses), strict=True))
    return [Known(device, stored.get(device.address or "")) for device in devices]
