"""What a person should know that no verdict says, each once, in a calm sentence."""

from collections.abc import Iterable, Iterator

from espseal.cli.listen.received import Received


class Advisor:
    """Looks at what comes and at what does not.

    Arguments:
        follow: whether another receiver publishes the beacons.
    """

    def __init__(self, *, follow: bool) -> None:
        self._follow = follow
        self.told: set[str] = set()
        """The topics and devices of which it has spoken."""

    def on(self, event: object, silent: Iterable[str]) -> Iterator[str]:
        """What to say after an event, while some topics are silent (`Listener.silent`)."""
        for topic in silent:
            if self._first(topic):
                yield (
                    f"What is published on {topic} does not come back; the broker's ACL may not "
                    "allow this client to write and to read it, which devices need."
                )
        if isinstance(event, Received) and event.waits_for_hello and self._first(event.sender):
            rest = "it is asked for a hello, and its readings count from then on"
            if self._follow:
                # Only the authority lifts a device above the window that it gets here (W2, H4).
                rest = (
                    "if the receiver that this one follows knows it already, its readings count "
                    "only on the state of that one (--state)"
                )
            yield f"{event.sender} is new to this state: {rest}."

    def _first(self, what: str) -> bool:
        new = what not in self.told
        self.told.add(what)
        return new
