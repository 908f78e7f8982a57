"""What to do about an outage: say it once and go on, or end."""

from typing import Final

from espseal.cli.broker.connection import Down, Up
from espseal.cli.exits import BrokerError


class Patience:
    """Judges what becomes of a connection.

    Arguments:
        endless: whether the command runs until it is ended. Then it waits for a broker that is
            down; otherwise that ends it. A broker that has refused at first ends it anyway.
    """

    def __init__(self, *, endless: bool) -> None:
        self._endless: Final = endless
        self._was_up = False
        self._told: str | None = None

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._was_up and self._told is None

    @property
    def trouble(self) -> str | None:
        """Why there is none, if that is known."""
        return self._told

    def judge(self, event: Up | Down) -> str | None:
        """What a person should be told, if it is something new.

        Raises:
            BrokerError: to wait is no use.
        """
        if isinstance(event, Up):
            again, self._told, self._was_up = self._told, None, True
            return "Connected again." if again is not None else None
        why = event.why if event.why.endswith("?") else f"{event.why}."
        if not self._was_up and (event.lasting or not self._endless):
            raise BrokerError(why)
        news = None if self._told is not None else f"{why} Trying again ..."
        self._told = why
        return news


def denied(what: str) -> BrokerError:
    """What the broker does not let this client do, as an error."""
    return BrokerError(f"The broker does not let this client {what}: allow it in the broker's ACL.")
