"""Asks a device for its next key over the broker, and waits until a receiver has heard of it."""

from espseal import DeviceEntry, Keyring, Sender, Store
from espseal.cli.broker.options import Broker
from espseal.cli.send.courier import Courier, Event


def ratchet(
    broker: Broker, keyring: Keyring, store: Store, device: DeviceEntry, timeout: float
) -> int:
    """Returns the epoch that the device has come to, or raises why it has not.

    Raises:
        CommandError: as `Courier.carry`.
        Error: as `Sender.ratchet`.
    """
    name = device.name
    ends = None if device.fleet is None else keyring.provision(name)
    courier = Courier(broker, Sender(keyring, store), device, timeout, ends)
    before = _epoch(store, device)

    def done(_: Event | None) -> int | None:
        reached = _epoch(store, device)
        return reached if reached > before else None

    return courier.carry(
        lambda: courier.sender.ratchet(name),
        done,
        unanswered=f"{name} has not answered within {timeout:g} seconds. It may do so later: "
        f"espseal device show {name}.",
    )


def _epoch(store: Store, device: DeviceEntry) -> int:
    stored = store.devices([device.address])[0] if device.address is not None else None
    reached = None if stored is None else stored.epoch
    return max(reached or 0, device.minimum_epoch or 0)
