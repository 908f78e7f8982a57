"""Sends one command, and waits until the device has it."""

from espseal.cli.send.courier import Acknowledged, Answered, Courier, Event


def send(courier: Courier, data: bytes) -> None:
    """Sends a command to the courier's device, or raises why not.

    Raises:
        CommandError: as `Courier.carry`.
        Error: as `Sender.seal`.
    """
    progress, name = courier.progress, courier.device.name

    def done(event: Event | None) -> bool | None:
        sent = progress.sent
        if sent is None:
            return None
        # Of a classic device there is no more to be had than that the broker has it.
        if sent.tag is None:
            return isinstance(event, Answered) or None
        return (isinstance(event, Acknowledged) and event.tag == sent.tag) or None

    courier.carry(
        lambda: courier.sender.seal(name, data),
        done,
        unanswered=f"{name} did not acknowledge it within {courier.timeout:g} seconds; it may have "
        "acted on it or not. Is it connected?",
    )
