"""Asks a device for its mode over the broker, and switches it."""

from espseal.cli.send.courier import Acknowledged, Courier, Event, Told


def ask(courier: Courier) -> int:
    """The mode that the device is in, or raises why it does not say so.

    Raises:
        CommandError: as `Courier.carry`.
        Error: as `Sender.query_mode`.
    """
    name = courier.device.name

    def done(event: Event | None) -> int | None:
        return event.mode if isinstance(event, Told) else None

    return courier.carry(
        lambda: courier.sender.query_mode(name),
        done,
        unanswered=f"{name} has not answered within {courier.timeout:g} seconds. Is it connected?",
    )


def switch(courier: Courier, mode: int) -> None:
    """Puts the device into a mode, or raises why not.

    Raises:
        CommandError: as `Courier.carry`.
        Error: as `Sender.set_mode`.
    """
    name, progress = courier.device.name, courier.progress

    def done(event: Event | None) -> bool | None:
        sent = progress.sent
        return (
            isinstance(event, Acknowledged) and sent is not None and event.tag == sent.tag
        ) or None

    courier.carry(
        lambda: courier.sender.set_mode(name, mode),
        done,
        unanswered=f"{name} did not acknowledge it within {courier.timeout:g} seconds; it may have "
        "switched or not. Is it connected?",
    )
