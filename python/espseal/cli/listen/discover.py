"""Names nodes that verify but that the keyring does not list."""

from espseal import Keyring, KeyringError, KeyringFile
from espseal.cli import console, following, questions
from espseal.cli.data import printable
from espseal.cli.listen.received import Received


class Discovery:
    """Offers each unlisted node once.

    Arguments:
        keyring: the file.
        interactive: whether to ask for a name; otherwise the command that adds it is printed.
    """

    def __init__(self, keyring: str, *, interactive: bool) -> None:
        self._keyring = keyring
        self._interactive = interactive
        self._met: set[tuple[str | None, str | None]] = set()

    def is_new(self, received: Received) -> bool:
        """Whether this is a verified node that was not offered before."""
        message = received.message
        node = (message.group, message.node_id or message.topic)
        if message.group is None or node in self._met:
            return False
        self._met.add(node)
        return True

    def offer(self, received: Received) -> Keyring | None:
        """Asks for a name and adds the node; the new keyring, if that was done."""
        message = received.message
        group, node_id = message.group or "", message.node_id
        # A frame of layout port carries no node ID: the topic names the device.
        topic = message.topic if node_id is None else None
        address = ("--node-id", node_id) if node_id is not None else ("--topic", topic or "")
        what = f"Node {node_id}" if node_id is not None else f"A device on {printable(topic or '')}"
        console.note(f"{what} has the keys of the group {group}, and is not in the keyring.")
        if not self._interactive:
            words = ("keyring", "add", "device", "NAME", "--group", group, *address)
            console.note(f"This adds it: {following.command(*words, keyring=self._keyring)}")
            return None
        while name := questions.ask("Its name", "Enter: not now"):
            try:
                file = KeyringFile.open(self._keyring)
                file.add_device(name, group=group, node_id=node_id, topic=topic)
            except KeyringError as error:
                console.complain(str(error))
                continue
            console.note(f"Added {name}; its next reading counts.")
            return Keyring.load(self._keyring)
        return None
