"""Names devices that the keyring does not list."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import espseal
from espseal import Keyring, KeyringError, KeyringFile, Store
from espseal.cli import console, following, questions
from espseal.cli.data import printable
from espseal.cli.listen.received import Received

# Whoever writes on the topic can claim as many addresses; each is looked at once.
_CLAIMS: Final = 20


@dataclass(frozen=True)
class _Found:
    """A device that is not listed.

    Arguments:
        what: of it, as a sentence.
        words: the command that adds it as NAME.
        add: adds it to a file under a name; None if nothing proves that there is such a device.
    """

    what: str
    words: tuple[str, ...] = ()
    add: Callable[[KeyringFile, str], object] | None = None


class Discovery:
    """Offers each unlisted device once.

    Arguments:
        keyring: whose devices are listed, out of a file.
        store: the sessions that it knows are tried on frames.
        interactive: whether to ask for a name; otherwise the command that adds it is printed.
    """

    def __init__(self, keyring: Keyring, store: Store, *, interactive: bool) -> None:
        self._keyring = keyring
        self._path = keyring.path or ""
        self._store = store
        self._interactive = interactive
        self._met: set[tuple[str | None, str | None]] = set()
        self._claims = 0

    def is_new(self, received: Received) -> bool:
        """Whether this is of a device that was not offered before."""
        message = received.message
        if message.group is None and received.claimed is None:
            return False
        device = (message.group, message.node_id or received.claimed or message.topic)
        if device in self._met or self._claims > _CLAIMS:
            return False
        self._met.add(device)
        self._claims += received.claimed is not None
        return True

    def offer(self, received: Received) -> Keyring | None:
        """Asks for a name and adds the device; the new keyring, if that was done."""
        if self._claims > _CLAIMS:
            console.note("More addresses are claimed that are not in the keyring; enough of them.")
            return None
        found = self._classic(received) if received.claimed is None else self._sealed(received)
        console.note(found.what)
        if found.add is None:
            return None
        if not self._interactive:
            line = following.command(*found.words, keyring=self._path)
            console.note(f"This adds it: {line}")
            return None
        while name := questions.ask("Its name", "Enter: not now"):
            try:
                found.add(KeyringFile.open(self._path), name)
            except KeyringError as error:
                console.complain(str(error))
                continue
            console.note(f"Added {name}; its next reading counts.")
            self._keyring = Keyring.load(self._path)
            return self._keyring
        return None

    def _classic(self, received: Received) -> _Found:
        message = received.message
        group, node_id = message.group or "", message.node_id
        # A frame of layout port carries no node ID: the topic names the device.
        topic = message.topic or "" if node_id is None else None
        place = ("--topic", topic or "") if node_id is None else ("--node-id", node_id)
        what = f"A device on {printable(topic or '')}" if node_id is None else f"Node {node_id}"
        return _Found(
            f"{what} has the keys of the group {group}, and is not in the keyring.",
            ("keyring", "add", "device", "NAME", "--group", group, *place),
            lambda file, name: file.add_device(name, group=group, node_id=node_id, topic=topic),
        )

    def _sealed(self, received: Received) -> _Found:
        address = received.claimed or ""
        found = espseal.inspect(received.payload, self._keyring, store=self._store).sealed
        for finding in found.findings if found else []:
            if finding.keys_of == "unlisted" and finding.fit and not finding.fit.mistakes:
                fleet = finding.fleet or ""
                return _Found(
                    f"The device {address} has its key of the fleet {fleet}, and is not in the "
                    "keyring: it was removed, or the keyring is older than it.",
                    ("device", "add", "NAME", "--fleet", fleet, "--address", address),
                    partial(_add_sealed, fleet=fleet, address=address),
                )
        return _Found(
            f"A frame claims to be of {address}, which is not in the keyring, and nothing proves "
            "it: no fleet here gave it its key. A device of yours is added and provisioned anew "
            "(espseal device add)."
        )


def _add_sealed(file: KeyringFile, name: str, *, fleet: str, address: str) -> None:
    # To a classic device it would give a second format: that is decided on purpose.
    if any(each.name == name for each in Keyring.load(file.path).devices):
        raise KeyringError(
            f"There is a device {name} already; name it otherwise.", "duplicate_name"
        )
    file.add_sealed(name, fleet=fleet, address=address)
